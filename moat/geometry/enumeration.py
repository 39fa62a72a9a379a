"""The quadratic program on the simplex, exactly: every support tried, in one batch."""

from functools import lru_cache

import torch
from torch import Tensor

from moat.geometry.equality import Equality

RIDGE = 1e-11
"""Added to P, whose trace is 1: makes the minimiser unique where P is singular, and moves the
objective by less than this."""


def stationary_points(P: Tensor, cut: Equality | None) -> Tensor:
    """Solve the optimality conditions on every support, in one batch, without a host read.

    An optimum of least support solves a regular system: a singular one has a direction along which
    the support shrinks, or a constraint that is constant on the support and so redundant. Hence
    there are two systems for each support, with the constraint and without it. Shape (n, k).
    """
    k = len(P)
    supports = every_support(k, P.device)
    outside = torch.diag_embed((~supports).to(P))
    both = (supports[:, :, None] & supports[:, None, :]).to(P)
    ridge = RIDGE * torch.eye(k, dtype=P.dtype, device=P.device)
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
def every_support(k: int, device: torch.device) -> Tensor:
    """Return every nonempty set of objectives, one a row: bool (2^k − 1, k)."""
    codes = torch.arange(1, 2**k, device=device)
    return (codes[:, None] >> torch.arange(k, device=device)) & 1 == 1
