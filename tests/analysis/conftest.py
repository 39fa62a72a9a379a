"""Small networks and a small protocol for the analyses."""

import pytest
import torch
from torch import nn

from moat.evaluation import Protocol
from moat.threats import PGD, RT, Flow


@pytest.fixture
def network():
    """Make a network from (batch, 1, 8, 8) to 10 logits, from a seed."""

    def make(seed: int = 0) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return nn.Sequential(
                nn.Conv2d(1, 6, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(6 * 64, 10)
            )

    return make


@pytest.fixture
def protocol():
    return Protocol(
        {
            "pgd": PGD(epsilon=0.1, step_size=0.05, start="uniform"),
            "flow": Flow(epsilon=0.3, step_size=0.1),
            "rt": RT(epsilon=0.2, step_size=0.1, steps=2),
        },
        at_steps={"pgd": (1, 3), "flow": (2,)},
        restarts={"pgd": 2},
    )


@pytest.fixture
def batch():
    """Twelve images (12, 1, 8, 8) in [0, 1], some pixels exactly 0 and 1; labels (12,)."""
    wide = 1.4 * torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(1)) - 0.2
    return wide.clamp(0, 1), torch.arange(12) % 10
