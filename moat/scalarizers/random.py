"""Random loss weighting: fresh weights in every step."""

from typing import Literal

import torch

from moat.scalarizers.base import LaggedScalarizer, scalarizer
from moat.types import Mask, Weights


@scalarizer("random")
class Random(LaggedScalarizer):
    """Weights drawn for each step from a distribution on the simplex.

    With `draw` = "dirichlet" they are uniform on the simplex, Dirichlet(1, …, 1); with "normal"
    they are the softmax of independent standard normal numbers. Either way all weights have the
    same expectation. The draw comes from the generator of the step's plan, so a resumed run draws
    the same weights as an undisturbed one.

    Example:
        >>> rule, names = Random(), ("natural", "pgd", "rt")
        >>> mask = rule.plan(names, batch=4, generator=torch.Generator().manual_seed(0))
        >>> rule.weights(names)
        tensor([0.6553, 0.2298, 0.1149], dtype=torch.float64)

    Source: Lin et al., Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task
    Learning, 2022.
    """

    scale_invariant = True
    permutes = False  # it draws
    draw: Literal["dirichlet", "normal"] = "dirichlet"
    include_natural: bool = True  # whether the natural loss has a share

    def __post_init__(self) -> None:
        self._weights: torch.Tensor | None = None

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Draw the weights of the coming step; return the objectives that have a share."""
        taken = (torch.arange(len(names), device="cpu") > 0) | self.include_natural
        logits = torch.empty(len(names), dtype=torch.float64, device="cpu")
        if self.draw == "normal":
            logits.normal_(generator=generator)
        else:  # exponential numbers, divided by their sum
            logits.exponential_(generator=generator).clamp_(min=1e-300).log_()
        self._weights = torch.softmax(logits.masked_fill(~taken, -torch.inf), 0)
        return taken

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return the weights that the last plan drew."""
        if self._weights is None:
            self.plan(names, 0)
        assert self._weights is not None
        return self._weights
