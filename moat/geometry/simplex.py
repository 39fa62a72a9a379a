"""Quadratic programs on the simplex: min aᵀPa over weights a ≥ 0 that sum to 1 (Eq. 13).

An optional equality cᵀa = r cuts the simplex. P is divided by its trace first, and an answer is
judged by its own residuals, never by the status that a solver reports.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from moat.errors import SolverError, did_you_mean

EXACT_UP_TO = 8
"""Objectives up to which `auto` enumerates supports: 255 small linear systems in one batch."""
TOLERANCE = 1e-9
"""Largest residual, relative to the scale of the constraint, of an answer that is accepted."""
_RIDGE = 1e-11  # makes the minimiser unique where P is singular; moves the objective by less


class Equality(NamedTuple):
    """The constraint coefficientsᵀ a = value; shapes (k,) and ()."""

    coefficients: Tensor
    value: Tensor | float


class Solution(NamedTuple):
    """Weights (k,) on the simplex, and a bool scalar: whether they solve the program.

    Where `solved` is False there is no solution, or none was found, and the weights are uniform.
    Both stay on the device of P.
    """

    weights: Tensor
    solved: Tensor


def minimize_quadratic(
    P: Tensor,
    constraint: Equality | tuple[Tensor, Tensor | float] | None = None,
    solver: str = "auto",
) -> Tensor:
    """Return argmin aᵀPa subject to a ≥ 0, Σa = 1 and the constraint: Eq. 13. Float64, shape (k,).

    P is symmetric and positive semi-definite, shape (k, k). `solver`: "auto" (exact up to 8
    objectives, cvxopt above), "exact", or any back end of qpsolvers ("cvxopt", "quadprog", ...).
    Raises SolverError where no weights satisfy the constraint, or the solver finds none.

    Example:
        >>> minimize_quadratic(torch.diag(torch.tensor([1.0, 2.0])))
        tensor([0.6667, 0.3333], dtype=torch.float64)
    """
    answer = solve(P, constraint, solver)
    if not answer.solved:
        raise SolverError(
            f"the solver {solver!r} found no weights on the simplex that satisfy the constraint "
            f"{_describe(constraint)}.",
            hint="A value is reachable when it lies between the smallest and the largest "
            "coefficient.",
        )
    return answer.weights


def solve(
    P: Tensor,
    constraint: Equality | tuple[Tensor, Tensor | float] | None = None,
    solver: str = "auto",
) -> Solution:
    """Solve as `minimize_quadratic` does, but answer instead of raising: no wait for a GPU."""
    P, cut = _scaled(P.detach(), constraint)
    exact = solver == "exact" or (solver == "auto" and len(P) <= EXACT_UP_TO)
    candidates = _stationary_points(P, cut) if exact else _from_qpsolvers(P, cut, solver)
    return _best(candidates, P, cut)


def known_solvers() -> list[str]:
    """Return the names `solver` takes on this machine."""
    import qpsolvers

    return ["auto", "exact", *sorted(qpsolvers.available_solvers)]


def require_solver(name: str) -> str:
    """Return the name if it is a solver of this machine; raise SolverError with the nearest."""
    known = known_solvers()
    if name not in known:
        raise SolverError(
            f"no quadratic solver is called {name!r}.{did_you_mean(name, known)}",
            hint=f"known here: {', '.join(known)}\nqpsolvers offers more once their packages are "
            "installed.",
        )
    return name


def _scaled(
    P: Tensor,
    constraint: Equality | tuple[Tensor, Tensor | float] | None,
) -> tuple[Tensor, Equality | None]:
    """Divide P by its trace and the constraint by its largest coefficient, in float64."""
    P = P.double()
    trace = P.trace()
    P = P / torch.where(trace > 0, trace, torch.ones_like(trace))
    if constraint is None:
        return P, None
    coefficients = constraint[0].detach().to(P)
    value = torch.as_tensor(constraint[1], dtype=P.dtype, device=P.device).detach()
    scale = coefficients.abs().amax()
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return P, Equality(coefficients / scale, value / scale)


def _stationary_points(P: Tensor, cut: Equality | None) -> Tensor:
    """Solve the optimality conditions on every support, in one batch, without asking the host.

    An optimum of least support solves a regular system: singular means a direction along which
    the support shrinks, or a constraint that is constant on the support and so says nothing new
    there. Hence two systems a support, with the constraint and without it. Shape (n, k).
    """
    k = len(P)
    supports = _supports(k, P.device)
    outside = torch.diag_embed((~supports).to(P))
    both = (supports[:, :, None] & supports[:, None, :]).to(P)
    ridge = _RIDGE * torch.eye(k, dtype=P.dtype, device=P.device)
    quadratic = (P + ridge) * both + outside
    ones = torch.ones(1, k, dtype=P.dtype, device=P.device)
    systems = [_solve_conditions(quadratic, ones, ones.new_ones(1), supports)]
    if cut is not None:
        rows = torch.cat([ones, cut.coefficients[None]])
        values = torch.cat([ones.new_ones(1), torch.as_tensor(cut.value).view(1)])
        systems.append(_solve_conditions(quadratic, rows, values, supports))
    return torch.cat(systems)


def _solve_conditions(quadratic: Tensor, rows: Tensor, values: Tensor, supports: Tensor) -> Tensor:
    n, k, m = len(supports), quadratic.shape[1], len(rows)
    rows = rows * supports[:, None, :].to(rows)
    system = quadratic.new_zeros(n, k + m, k + m)
    system[:, :k, :k] = quadratic
    system[:, k:, :k] = rows
    system[:, :k, k:] = rows.transpose(1, 2)
    right = torch.cat([quadratic.new_zeros(k), values])[None, :, None].expand(n, k + m, 1)
    found: Tensor = torch.linalg.solve_ex(system, right, check_errors=False)[0]
    return found[:, :k, 0] * supports.to(quadratic)


@lru_cache(maxsize=32)
def _supports(k: int, device: torch.device) -> Tensor:
    codes = torch.arange(1, 2**k, device=device)
    return (codes[:, None] >> torch.arange(k, device=device)) & 1 == 1


def _from_qpsolvers(P: Tensor, cut: Equality | None, solver: str) -> Tensor:
    """Return the back end's last iterate as the one candidate, NaN where it gave none."""
    import qpsolvers

    solver = "cvxopt" if solver == "auto" else require_solver(solver)
    free, rows, values = _face(len(P), cut)
    k = int(free.sum())
    problem = qpsolvers.Problem(
        P=2 * P.cpu().numpy()[np.ix_(free, free)] + _RIDGE * np.eye(k),
        q=np.zeros(k),
        G=-np.eye(k),
        h=np.zeros(k),
        A=rows,
        b=values,
    )
    tight: dict[str, Any] = (
        {"abstol": 1e-12, "reltol": 1e-12, "feastol": 1e-12} if solver == "cvxopt" else {}
    )
    try:
        found = qpsolvers.solve_problem(problem, solver=solver, **tight).x
    except (ValueError, ArithmeticError, qpsolvers.exceptions.QPError):  # infeasible, their way
        found = None
    weights = np.zeros(len(P))
    weights[free] = np.nan if found is None else found
    return torch.as_tensor(weights, dtype=P.dtype, device=P.device)[None]


def _face(
    k: int, cut: Equality | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Return which weights may be above zero, and the equalities on those: rows and values.

    At the least and the largest reachable value only the weights of those coefficients may, and
    the constraint says nothing more. Left to itself, a back end finds no interior there, and
    quadprog calls one in four such programs inconsistent (measured).
    """
    free = np.ones(k, dtype=bool)
    rows, values = np.ones((1, k)), np.ones(1)
    if cut is not None:
        coefficients, value = cut.coefficients.cpu().numpy(), float(cut.value)
        ends = (coefficients.min(), coefficients.max())
        for end in ends:
            if abs(value - end) <= TOLERANCE:
                free = np.abs(coefficients - end) <= TOLERANCE
                return free, rows[:, free], values
        if ends[1] - ends[0] > TOLERANCE:
            rows, values = np.stack([rows[0], coefficients]), np.array([1.0, value])
    return free, rows, values


def _best(candidates: Tensor, P: Tensor, cut: Equality | None) -> Solution:
    """Pick the candidate with the least objective among those whose residuals are small."""
    near = candidates.clamp(min=0)
    near = near / near.sum(1, keepdim=True)
    residual = (near - candidates).abs().amax(1)
    if cut is not None:
        residual = torch.maximum(residual, (near @ cut.coefficients - cut.value).abs())
    objective = torch.einsum("ni,ij,nj->n", near, P, near)
    # Both are False for NaN: cvxopt answers a P of NaN with weights that meet the constraint.
    valid = (residual <= TOLERANCE) & torch.isfinite(objective)
    best = torch.where(valid, objective, torch.inf).argmin()
    uniform = torch.full_like(P[0], 1 / len(P))
    solved = valid[best]
    return Solution(torch.where(solved, near[best], uniform), solved)


def last_iterate_of_cvxopt(P: Tensor, constraint: Equality) -> NDArray[np.float64] | None:
    """Return what the paper's procedure returns, whatever it is; None where cvxopt raises.

    For an r that no weights reach, cvxopt reports 'unknown' and this last iterate is not on the
    simplex: negative weights, or a sum of 47. It exists to show that, not to be trained on.
    """
    import cvxopt

    k = len(P)
    coefficients = constraint.coefficients.detach().double().cpu().numpy()
    try:
        answer = cvxopt.solvers.qp(
            cvxopt.matrix(2 * P.detach().double().cpu().numpy()),
            cvxopt.matrix(0.0, (k, 1)),
            cvxopt.matrix(-np.eye(k)),
            cvxopt.matrix(0.0, (k, 1)),
            cvxopt.matrix(np.stack([coefficients, np.ones(k)])),
            cvxopt.matrix(np.array([float(constraint.value), 1.0])),
            options={"show_progress": False},
        )
    except (ValueError, ArithmeticError):  # 'domain error', 'Rank(A) < p'
        return None
    return np.array(answer["x"]).ravel()


def _describe(constraint: Equality | tuple[Tensor, Tensor | float] | None) -> str:
    if constraint is None:
        return "(none)"
    coefficients, value = constraint
    return f"{[round(c, 6) for c in coefficients.tolist()]} · a = {float(value):.6g}"
