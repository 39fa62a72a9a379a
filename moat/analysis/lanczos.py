"""The Lanczos process for many symmetric matrices at once, of which only products are known."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from moat.public import public

Vectors = Float[Tensor, "batch entries"]


class Spectrum(NamedTuple):
    """Ritz values, ascending, and what is known of them, each of the shape (batch, steps).

    `weights` are the shares of the spectrum that the values stand for, and add up to 1; each value
    has an eigenvalue of the matrix within `bounds`.

    Example:
        >>> found = lanczos(lambda v: v * torch.tensor([1.0, 2.0, 4.0]), torch.ones(1, 3), steps=3)
        >>> found.values[0, -1].round(decimals=4)
        tensor(4., dtype=torch.float64)
    """

    values: Tensor
    weights: Tensor
    bounds: Tensor


@public
def lanczos(product: Callable[[Vectors], Vectors], start: Vectors, steps: int) -> Spectrum:
    """Return the spectra of symmetric matrices, one for each row of `start`, from products A v.

    The basis is made orthogonal twice in each step, so extreme values come once. If the Krylov
    space of an example ends, the process goes on with a direction outside of it. `weights` are the
    squared first components of the eigenvectors of the tridiagonal matrix: over random starts, the
    share of eigenvalues below a bound is the mean of the weights below it.

    Example:
        >>> diagonal = torch.arange(-2.0, 6.0).double()
        >>> start = torch.ones(1, 8, dtype=torch.float64)
        >>> lanczos(lambda v: v * diagonal, start, steps=8).values[0, [0, -1]].round(decimals=6)
        tensor([-2.,  5.], dtype=torch.float64)

    Source: Golub and Meurant, Matrices, Moments and Quadrature with Applications, 2010, Chapter 4;
    Ghorbani, Krishnan and Xiao, An Investigation into Neural Net Optimization via Hessian
    Eigenvalue Density, 2019.
    """
    batch, entries = start.shape
    steps = min(steps, entries)
    tiny = torch.finfo(start.dtype).eps ** 0.75
    basis = start.new_zeros(batch, steps, entries)
    matrix = start.new_zeros(batch, steps, steps, dtype=torch.float64)
    vector, scale = _unit(start), start.new_zeros(batch)
    length = scale
    for step in range(steps):
        basis[:, step] = vector
        moved = product(vector)
        along = (moved * vector).sum(1)
        matrix[:, step, step] = along.double()
        rest = _outside(moved, basis[:, : step + 1])
        length = rest.norm(dim=1)
        scale = torch.stack([scale, along.abs(), length]).amax(0)
        ended = length <= tiny * scale
        length = torch.where(ended, 0.0, length)
        if step + 1 < steps:
            matrix[:, step, step + 1] = matrix[:, step + 1, step] = length.double()
            other = _outside(start.roll(step + 1, dims=1), basis[:, : step + 1])
            vector = _unit(torch.where(ended[:, None], other, rest))
    values, vectors = torch.linalg.eigh(matrix)
    bounds = (length.double()[:, None] * vectors[:, -1]).abs()
    return Spectrum(values, vectors[:, 0].square(), bounds)


def _outside(vector: Vectors, basis: Float[Tensor, "batch steps entries"]) -> Vectors:
    """Return what of a vector lies outside of the basis."""
    column = vector[:, :, None]
    for _ in range(2):  # once leaves rounding of the size of what was taken off
        column = torch.baddbmm(column, basis.mT, torch.bmm(basis, column), alpha=-1)
    return column[:, :, 0]


def _unit(vector: Vectors) -> Vectors:
    length = vector.norm(dim=1, keepdim=True)
    return vector / torch.where(length > 0, length, 1.0)
