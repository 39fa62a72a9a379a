"""Eigenvalues of a small symmetric matrix; the host does not wait for a GPU."""

import torch
from torch import Tensor

ROUNDS = 8
"""Times that each pair is rotated: the rest falls quadratically, and after six is rounding."""


def eigen_of(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues (k,) and eigenvectors (k, k), a column each, of a symmetric matrix.

    On a CPU they are LAPACK's. On a GPU, where `torch.linalg.eigh` would make the host wait, they
    come from rotations. Their order is not specified.

    Example:
        >>> values, vectors = eigen_of(torch.tensor([[2.0, 1.0], [1.0, 2.0]]).double())
        >>> values.sort().values.round(decimals=6)
        tensor([1., 3.], dtype=torch.float64)
    """
    if matrix.device.type == "cpu":
        values, vectors = torch.linalg.eigh(matrix.nan_to_num(0, 0, 0))  # it raises for NaN
        return values + 0 * matrix.sum(), vectors
    return by_rotations(matrix)


def by_rotations(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same by Jacobi's method: each pair of axes in turn is rotated until it decouples.

    Source: Golub and Van Loan, Matrix Computations, 4th edition, Section 8.5.
    """
    k = len(matrix)
    vectors = torch.eye(k, dtype=matrix.dtype, device=matrix.device)
    for _ in range(ROUNDS):
        for p in range(k - 1):
            for q in range(p + 1, k):
                turn = _rotation(matrix, p, q)
                matrix, vectors = turn.T @ matrix @ turn, vectors @ turn
    return matrix.diagonal(), vectors


def _rotation(matrix: Tensor, p: int, q: int) -> Tensor:
    """Return the rotation of two axes after which the entry (p, q) is 0."""
    entry, difference = matrix[p, q], matrix[q, q] - matrix[p, p]
    # tan of the angle: the smaller root of t² + (difference / entry) t = 1
    sign = torch.where(difference < 0, -1.0, 1.0).to(matrix)
    below = difference.abs() + torch.sqrt(difference.square() + 4 * entry.square())
    tangent = torch.where(below > 0, 2 * sign * entry / below, torch.zeros_like(entry))
    cosine = (1 + tangent.square()).rsqrt()
    turn = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    turn[p, p] = turn[q, q] = cosine
    turn[p, q], turn[q, p] = tangent * cosine, -tangent * cosine
    return turn
