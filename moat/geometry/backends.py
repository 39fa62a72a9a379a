"""The quadratic program on the simplex by third-party solvers, on the host."""

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from moat.errors import SolverError, did_you_mean
from moat.geometry.enumeration import RIDGE
from moat.geometry.equality import Equality
from moat.public import public

_TIGHT: dict[str, dict[str, Any]] = {
    "cvxopt": {"abstol": 1e-12, "reltol": 1e-12, "feastol": 1e-12},
    "osqp": {"eps_abs": 1e-11, "eps_rel": 1e-11, "max_iter": 200_000},
    "proxqp": {"eps_abs": 1e-11, "eps_rel": 0.0},
    "qpalm": {"eps_abs": 1e-11, "eps_rel": 1e-11},
    "scs": {"eps_abs": 1e-11, "eps_rel": 1e-11},
}
"""Tolerances of the iterative solvers: by default their answers are off by up to 4e-3."""
CONSTANT = 1e-9  # spread below which coefficients say nothing beyond Σa = 1

OWN = ("auto", "exact")


@public
def known_solvers() -> list[str]:
    """Return the valid names of `solver` on this machine.

    Example:
        >>> "exact" in known_solvers()
        True
    """
    import qpsolvers

    return [*OWN, *sorted(qpsolvers.available_solvers)]


@public
def require_solver(name: str) -> str:
    """Return the name of a solver on this machine; raise SolverError with the nearest for others.

    Example:
        >>> require_solver("auto")
        'auto'
    """
    if name in OWN:  # the others are imported to be known
        return name
    known = known_solvers()
    if name not in known:
        raise SolverError(
            f"no quadratic solver is called {name!r}.{did_you_mean(name, known)}",
            hint=f"known here: {', '.join(known)}\nqpsolvers offers more once their packages are "
            "installed.",
        )
    return name


def from_qpsolvers(P: Tensor, cut: Equality | None, solver: str) -> Tensor:
    """Return the back end's last iterate as the only candidate, NaN if there is none."""
    import qpsolvers
    from scipy.sparse import csc_matrix

    solver = "cvxopt" if solver == "auto" else require_solver(solver)
    free, rows, values = _face(len(P), cut)
    k = int(free.sum())
    takes = csc_matrix if solver in qpsolvers.sparse_solvers else np.asarray
    try:
        problem = qpsolvers.Problem(
            P=takes(2 * _definite(P.cpu().numpy()[np.ix_(free, free)])),
            q=np.zeros(k),
            G=takes(-np.eye(k)),
            h=np.zeros(k),
            A=takes(rows),
            b=values,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the answer is judged by its residuals
            found = qpsolvers.solve_problem(problem, solver=solver, **_TIGHT.get(solver, {})).x
    except Exception:  # infeasible, or not to their taste: each back end has its own way to say so
        found = None
    weights = np.zeros(len(P))
    weights[free] = np.nan if found is None else found
    return torch.as_tensor(weights, dtype=P.dtype, device=P.device)[None]


def _definite(P: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return P with a ridge above the negative eigenvalues that rounding has left in it.

    The Gramian of dependent float32 gradients has eigenvalues of about −1e-8 of its trace.
    """
    ridge = RIDGE + max(0.0, -float(np.linalg.eigvalsh(P)[0]))
    return P + ridge * np.eye(len(P))


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
            if abs(value - end) <= CONSTANT:
                free = np.abs(coefficients - end) <= CONSTANT
                return free, rows[:, free], values
        if ends[1] - ends[0] > CONSTANT:
            rows, values = np.stack([rows[0], coefficients]), np.array([1.0, value])
    return free, rows, values


@public
def last_iterate_of_cvxopt(P: Tensor, constraint: Equality) -> NDArray[np.float64] | None:
    """Return the result of the paper's procedure, valid or not; None if cvxopt raises.

    For an r that no weights reach, cvxopt reports 'unknown' and this last iterate is not on the
    simplex: negative weights, or a sum of 47. It exists to show that, not for training.

    Example:
        >>> from moat.geometry.simplex import Equality
        >>> mean = Equality(torch.tensor([0.5, 2.0]), torch.tensor(1.0))  # a / 2 + 2 b = 1
        >>> last_iterate_of_cvxopt(torch.eye(2), mean).round(3)
        array([0.667, 0.333])
        >>> beyond = Equality(torch.tensor([0.5, 2.0]), torch.tensor(3.0))
        >>> weights = last_iterate_of_cvxopt(torch.eye(2), beyond)
        >>> bool(weights.min() < 0 or abs(weights.sum() - 1) > 0.1)
        True
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
