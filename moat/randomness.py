"""Every random draw of a run from (seed, epoch, purpose), so that any epoch can be recreated."""

from contextlib import AbstractContextManager

import numpy as np
import torch

PURPOSES = ("initialisation", "global", "order", "search", "augmentation")


def derived_seed(seed: int, epoch: int, purpose: str) -> int:
    """Return a 63-bit seed for one purpose in one epoch of a run."""
    sequence = np.random.SeedSequence([seed, epoch, PURPOSES.index(purpose)])
    return int(sequence.generate_state(1, np.uint64)[0]) >> 1


def generator_for(seed: int, epoch: int, purpose: str) -> torch.Generator:
    """Return a CPU generator for one purpose in one epoch: what it draws is the same anywhere."""
    return torch.Generator().manual_seed(derived_seed(seed, epoch, purpose))


def seed_globally(seed: int, epoch: int, purpose: str = "global") -> None:
    """Seed torch's global generators, from which dropout and initial weights draw."""
    torch.manual_seed(derived_seed(seed, epoch, purpose))


def draws_undone(device: torch.device) -> AbstractContextManager[None]:
    """Put torch's global generators, the device's included, back to where they were."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])
