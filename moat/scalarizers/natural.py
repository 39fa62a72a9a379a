"""Plain training."""

import torch

from moat.scalarizers.base import LaggedScalarizer, scalarizer
from moat.types import Mask, Weights


@scalarizer("natural")
class Natural(LaggedScalarizer):
    """All weight on the natural loss; nothing is searched.

    Example:
        >>> Natural().weights(("natural", "pgd"))
        tensor([1., 0.], dtype=torch.float64)
    """

    scale_invariant = True

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return the natural objective alone."""
        return torch.arange(len(names), device="cpu") == 0

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return (1, 0, 0, ...)."""
        return (torch.arange(len(names), device="cpu") == 0).double()
