"""Ave AT: the mean of the threats' losses (Section 4.2)."""

import torch

from moat.scalarizers.base import LaggedScalarizer, scalarizer
from moat.types import Mask, Weights


@scalarizer("average")
class Average(LaggedScalarizer):
    """Equal weights: R_ave of Section 4.2, over the threats alone unless told otherwise.

    With one threat it is plain adversarial training against that threat.

    Example:
        >>> Average().weights(("natural", "pgd", "flow"))
        tensor([0.0000, 0.5000, 0.5000], dtype=torch.float64)

    Source: Tramèr and Boneh, Adversarial Training and Robustness for Multiple Perturbations, 2019.
    """

    scale_invariant = True
    include_natural: bool = False  # whether the natural loss is averaged in

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return the averaged objectives; the natural one costs nothing unless included."""
        return (torch.arange(len(names), device="cpu") > 0) | self.include_natural

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return the same weight for each averaged objective."""
        averaged = self.plan(names, 0).double()
        return averaged / averaged.sum()
