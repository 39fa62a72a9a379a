"""Eigenvalues by Jacobi's rotations, against LAPACK's."""

import pytest
import torch

from moat.geometry.eigen import by_rotations, eigen_of


@pytest.mark.parametrize("solve", [eigen_of, by_rotations])
@pytest.mark.parametrize("k", [1, 2, 4, 9])
def test_values_and_vectors_are_lapacks(solve, k):
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randn(k, max(1, k - seed), generator=generator, dtype=torch.float64)
        matrix = rows @ rows.T * 10.0 ** (seed - 2)
        values, vectors = solve(matrix)
        size = matrix.abs().amax().item()
        expected = torch.linalg.eigvalsh(matrix)
        assert torch.allclose(values.sort().values, expected, atol=1e-12 * size)
        assert torch.allclose(vectors.T @ vectors, torch.eye(k, dtype=torch.float64), atol=1e-12)
        assert torch.allclose(vectors * values @ vectors.T, matrix, atol=1e-12 * size)


@pytest.mark.parametrize("solve", [eigen_of, by_rotations])
def test_a_matrix_that_is_not_finite_has_no_eigenvalues(solve):
    values, _ = solve(torch.tensor([[1.0, torch.nan], [torch.nan, 1.0]]))
    assert values.isnan().all()


def test_a_matrix_of_zeros_and_a_diagonal_one_stay_as_they_are():
    for diagonal in ([0.0, 0.0], [3.0, 1.0]):
        values, vectors = by_rotations(torch.diag(torch.tensor(diagonal)))
        assert values.tolist() == diagonal
        assert torch.equal(vectors, torch.eye(2))
