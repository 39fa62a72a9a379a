"""Losses to weigh, and gradients: one of each kind for every test that does not care which."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from moat.objectives import LossMatrix

NAMES = ("natural", "pgd", "flow", "rt")


@pytest.fixture
def names() -> tuple[str, ...]:
    return NAMES


@pytest.fixture
def losses() -> LossMatrix:
    """Four objectives over five examples, float32 as training measures them."""
    generator = torch.Generator().manual_seed(0)
    values = 2 * torch.rand(4, 5, generator=generator)
    return LossMatrix(values, NAMES, correct=values < 1)


@pytest.fixture
def ones() -> LossMatrix:
    """Losses for a rule of gradients alone, which looks at none of them."""
    return LossMatrix(torch.ones(4, 1), NAMES)


@pytest.fixture
def many_gradients() -> list[Tensor]:
    """Forty matrices of 2 to 6 gradients, many of which conflict, and some of which depend."""
    return list(_drawn())


def _drawn() -> Iterator[Tensor]:
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        k, dimension = 2 + seed % 5, 1 + seed % 8
        directions = torch.randn(k, dimension, generator=generator, dtype=torch.float64)
        yield torch.logspace(-1, 1, k, dtype=torch.float64)[:, None] * (directions + 0.3)
