"""Seeds and generators: every random draw comes from a seed for one purpose."""

from contextlib import AbstractContextManager
from hashlib import sha256

import numpy as np
import torch

PURPOSES = ("initialisation", "global", "order", "search", "augmentation", "encoder", "overfitting")


def generator_of(seed: int) -> torch.Generator:
    """Return a CPU generator: what it draws is the same anywhere."""
    return torch.Generator().manual_seed(seed)


def derived_seed(seed: int, epoch: int, purpose: str) -> int:
    """Return a 63-bit seed for one purpose in one epoch of a run, so that it can be recreated."""
    sequence = np.random.SeedSequence([seed, epoch, PURPOSES.index(purpose)])
    return int(sequence.generate_state(1, np.uint64)[0]) >> 1


def generator_for(seed: int, epoch: int, purpose: str) -> torch.Generator:
    """Return the generator for one purpose in one epoch of a run."""
    return generator_of(derived_seed(seed, epoch, purpose))


def seed_globally(seed: int, epoch: int, purpose: str = "global") -> None:
    """Seed torch's global generators, from which dropout and initial weights draw.

    Example:
        >>> seed_globally(0, epoch=1)
        >>> first = torch.rand(1)
        >>> seed_globally(0, epoch=1)
        >>> torch.equal(torch.rand(1), first)
        True
    """
    torch.manual_seed(derived_seed(seed, epoch, purpose))


def seed_named(*names: object) -> int:
    """Return a 56-bit seed for what the names say, so that no other changes what is drawn for it.

    Example:
        >>> seed_named(0, "pgd", 1) == seed_named(0, "pgd", 1) != seed_named(0, "flow", 1)
        True
    """
    digest = sha256("/".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:7])


def draws_undone(device: torch.device) -> AbstractContextManager[None]:
    """Put torch's global generators, the device's included, back to where they were."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])
