"""Losses to weigh: one matrix for every test that does not care which."""

import pytest
import torch

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
