"""Friendly searches: an example leaves once it has fallen, by a margin or for some iterations."""

from typing import Annotated

from pydantic import Field
from torch import Tensor

from moat.fields import Fields
from moat.losses import is_correct, margin
from moat.number_bounds import MOST_COUNTED, NonNegativeNumber
from moat.types import Labels, Logits, Verdicts


class Friendly(Fields):
    """The end of a search for an example that has fallen.

    An example has fallen where a wrong class exceeds its label by more than `margin` logits. It
    leaves at the first fallen iterate after `after` others, and keeps that iterate: with 0, the
    first one, which may be its start; `after` is τ of the paper.

    Example:
        >>> Friendly(after=1)
        Friendly(after=1, margin=0.0)

    Source: Zhang et al., Attacks Which Do Not Kill Training Make Adversarial Learning Stronger,
    2020, Algorithm 1.
    """

    after: Annotated[int, Field(ge=0, le=MOST_COUNTED)] = 0  # iterations after the fall
    margin: NonNegativeNumber = 0.0  # logits

    def stands(self, logits: Logits, labels: Labels) -> Verdicts:
        """Return which examples have not fallen, bool (batch,)."""
        correct = is_correct(logits, labels)
        return correct | (margin(logits, labels) <= self.margin) if self.margin else correct


class Patience:
    """The number of fallen iterates of each example of a climb, among those that still climb."""

    def __init__(self, friendly: Friendly, like: Tensor) -> None:
        self.friendly = friendly
        self._fallen = like.new_zeros(len(like), dtype=like.dtype)

    def stays(self, stands: Verdicts) -> Verdicts:
        """Return which examples climb on, and count the fallen iterates."""
        stays = stands | (self._fallen < self.friendly.after)
        self._fallen = self._fallen + ~stands
        return stays

    def keep(self, chosen: Verdicts) -> None:
        """Go on with some of the examples."""
        self._fallen = self._fallen[chosen]
