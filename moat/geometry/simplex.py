"""Quadratic programs on the simplex: min aᵀPa over weights a ≥ 0 that sum to 1 (Eq. 13).

An optional equality cᵀa = r cuts the simplex. P is first divided by its trace, and a solution is
verified by its own residuals, never by the status that a solver reports.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from moat.errors import SolverError
from moat.geometry.backends import (
    from_qpsolvers,
    known_solvers,
    last_iterate_of_cvxopt,
    require_solver,
)
from moat.geometry.enumeration import stationary_points
from moat.geometry.equality import Equality
from moat.public import public

__all__ = [
    "Equality",
    "Solution",
    "known_solvers",
    "last_iterate_of_cvxopt",
    "minimize_quadratic",
    "require_solver",
    "solve",
]

EXACT_UP_TO = 8
"""Objectives up to which `auto` enumerates supports: 255 small linear systems in one batch."""
EXACT_AT_MOST = 14
"""Objectives up to which "exact" can be asked for: 16,383 systems, 30 MB of them."""
RESIDUAL = 1e-9
"""Largest residual, relative to the scale of the constraint, of an answer that is accepted."""


class Solution(NamedTuple):
    """Weights (k,) on the simplex, and a bool scalar that says whether they solve the program.

    If `solved` is False, no solution exists or none was found, and the weights are uniform. Both
    stay on the device of P.

    Example:
        >>> solution = solve(torch.eye(2))
        >>> solution.weights, bool(solution.solved)
        (tensor([0.5000, 0.5000], dtype=torch.float64), True)
    """

    weights: Tensor
    solved: Tensor


@public
def minimize_quadratic(
    P: Tensor,
    constraint: Equality | tuple[Tensor, Tensor | float] | None = None,
    solver: str = "auto",
) -> Tensor:
    """Return argmin aᵀPa subject to a ≥ 0, Σa = 1 and the constraint: Eq. 13. Float64, shape (k,).

    P is symmetric and positive semi-definite, shape (k, k). `solver`: "auto" (exact up to 8
    objectives, cvxopt above), "exact", or any back end of qpsolvers ("cvxopt", "quadprog", ...).
    Raises SolverError if no weights satisfy the constraint or the solver finds none.

    Example:
        >>> minimize_quadratic(torch.diag(torch.tensor([1.0, 2.0])))
        tensor([0.6667, 0.3333], dtype=torch.float64)
    """
    answer = solve(P, constraint, solver)
    if not answer.solved:
        raise SolverError(
            f"the solver {solver!r} found no weights on the simplex that satisfy the constraint "
            f"{_describe(constraint)}.",
            hint="A value is reachable if it lies between the smallest and the largest "
            "coefficient.",
        )
    return answer.weights


@public
def solve(
    P: Tensor,
    constraint: Equality | tuple[Tensor, Tensor | float] | None = None,
    solver: str = "auto",
) -> Solution:
    """Solve as `minimize_quadratic` does, but never raise, and never wait for a GPU.

    If a named back end gives no weights, "auto" solves.

    Example:
        >>> solve(torch.eye(2), (torch.tensor([1.0, 2.0]), 3.0)).solved  # 3 is out of reach
        tensor(False)
    """
    _require_program(P, constraint)
    if solver == "exact" and len(P) > EXACT_AT_MOST:
        raise SolverError(
            f"the exact solver tries every subset of the objectives: at most {EXACT_AT_MOST}, not "
            f"{len(P)}.",
            hint='Use solver = "auto", which calls cvxopt above 8 objectives.',
        )
    P, cut = _scaled(P.detach(), constraint)
    exact = solver == "exact" or (solver == "auto" and len(P) <= EXACT_UP_TO)
    if exact:
        return _best(stationary_points(P, cut), P, cut)
    answer = _best(from_qpsolvers(P, cut, solver), P, cut)
    if solver == "auto" or answer.solved:  # back ends are on the host: this waits for nothing
        return answer
    return solve(P, cut)


def _require_program(
    P: Tensor, constraint: Equality | tuple[Tensor, Tensor | float] | None
) -> None:
    """Raise SolverError unless the shapes are those of a quadratic program."""
    if P.ndim != 2 or P.shape[0] != P.shape[1] or not len(P):
        raise SolverError(f"P is a square matrix (k, k), not of shape {tuple(P.shape)}.")
    if constraint is not None and tuple(constraint[0].shape) != (len(P),):
        raise SolverError(
            f"the constraint has coefficients of shape {tuple(constraint[0].shape)} for "
            f"{len(P)} weights."
        )


def _scaled(
    P: Tensor,
    constraint: Equality | tuple[Tensor, Tensor | float] | None,
) -> tuple[Tensor, Equality | None]:
    """Divide P by its trace and the constraint by its largest coefficient, in float64.

    P is made symmetric first: products of float32 are not quite.
    """
    P = (P.double() + P.T.double()) / 2
    trace = P.trace()
    P = P / torch.where(trace > 0, trace, torch.ones_like(trace))
    if constraint is None:
        return P, None
    coefficients = constraint[0].detach().to(P)
    value = torch.as_tensor(constraint[1], dtype=P.dtype, device=P.device).detach()
    scale = coefficients.abs().amax()
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return P, Equality(coefficients / scale, value / scale)


def _best(candidates: Tensor, P: Tensor, cut: Equality | None) -> Solution:
    """Pick the candidate with the least objective among those whose residuals are small."""
    near = candidates.clamp(min=0)
    near = near / near.sum(1, keepdim=True)
    residual = (near - candidates).abs().amax(1)
    if cut is not None:
        residual = torch.maximum(residual, (near @ cut.coefficients - cut.value).abs())
    objective = torch.einsum("ni,ij,nj->n", near, P, near)
    # Both are False for NaN: cvxopt answers a P of NaN with weights that meet the constraint.
    valid = (residual <= RESIDUAL) & torch.isfinite(objective)
    # index_select, since a 0-dimensional index would ask the host
    best = torch.where(valid, objective, torch.inf).argmin().view(1)
    uniform = torch.full_like(P[0], 1 / len(P))
    solved = valid.index_select(0, best).squeeze(0)
    return Solution(torch.where(solved, near.index_select(0, best).squeeze(0), uniform), solved)


def _describe(constraint: Equality | tuple[Tensor, Tensor | float] | None) -> str:
    if constraint is None:
        return "(none)"
    coefficients, value = constraint
    return f"{[round(c, 6) for c in coefficients.tolist()]} · a = {float(value):.6g}"
