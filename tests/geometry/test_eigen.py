"""Eigenvalues by Jacobi's rotations, against LAPACK's."""

import pytest
import torch

from moat.geometry.eigen import eigen_of


@pytest.mark.parametrize("k", [1, 2, 4, 9])
def test_values_and_vectors_are_lapacks(k):
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randn(k, max(1, k - seed), generator=generator, dtype=torch.float64)
        matrix = rows @ rows.T * 10.0 ** (seed - 2)
        values, vectors = eigen_of(matrix)
        size = matrix.abs().amax().item()
        expected = torch.linalg.eigvalsh(matrix)
        assert torch.allclose(values.sort().values, expected, atol=1e-12 * size)
        assert torch.allclose(vectors.T @ vectors, torch.eye(k, dtype=torch.float64), atol=1e-12)
        assert torch.allclose(vectors * values @ vectors.T, matrix, atol=1e-12 * size)


def test_a_matrix_of_zeros_and_a_diagonal_one_stay_as_they_are():
    for diagonal in ([0.0, 0.0], [3.0, 1.0]):
        values, vectors = eigen_of(torch.diag(torch.tensor(diagonal)))
        assert values.tolist() == diagonal
        assert torch.equal(vectors, torch.eye(2))
