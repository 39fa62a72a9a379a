"""The terms of a step's losses: each objective's images, and those of a partner."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from moat.training.descent_loss import DescentLoss, loss_of
from moat.types import Labels, Logits, PerExample

NATURAL_NUMBER = 0
"""The natural objective is the first."""


class ImageSource(NamedTuple):
    """Images of one objective, one for each image whose loss uses them.

    `whole`: they are the whole batch in order, so one forward serves every loss.
    """

    number: int
    images: Tensor
    whole: bool


class LossKind(NamedTuple):
    """A loss, and the images of its partner, if it has one."""

    loss: DescentLoss
    partner: ImageSource | None = None


class TermLogits(NamedTuple):
    """The logits of some images, and those of their partners, one entry for each kind of loss."""

    own: Logits
    others: list[Logits | None]


@dataclass(frozen=True, eq=False)
class Term:
    """The loss of a list of images: one kind for all, or one of several for each image.

    `own` has the images themselves; `which` (images,) has the kind of each.
    """

    own: ImageSource
    kinds: tuple[LossKind, ...]
    which: Tensor | None = None

    def losses(self, answer: TermLogits, labels: Labels, rows: slice) -> PerExample:
        """Return the losses of some rows.

        For an image of another kind, a loss gets the logits without their graph, so that not even
        an infinite slope comes back.
        """
        if self.which is None:
            return loss_of(self.kinds[0].loss, answer.own, labels, answer.others[0])
        which = self.which[rows]
        found = []
        for number, (kind, other) in enumerate(zip(self.kinds, answer.others, strict=True)):
            chosen = (which == number)[:, None]
            own = torch.where(chosen, answer.own, answer.own.detach())
            beside = None if other is None else torch.where(chosen, other, other.detach())
            found.append(loss_of(kind.loss, own, labels, beside))
        return torch.stack(found).gather(0, which[None])[0]

    def sources(self) -> list[ImageSource]:
        """Return all lists of images whose logits it needs, its own first."""
        return [self.own, *(kind.partner for kind in self.kinds if kind.partner is not None)]

    def picked(self, mask: Tensor) -> "Term":
        """Return the term of the images in a mask."""

        def some(source: ImageSource) -> ImageSource:
            images = source.images[mask]
            return ImageSource(source.number, images, source.whole and len(images) == len(mask))

        kinds = tuple(
            LossKind(loss, None if partner is None else some(partner))
            for loss, partner in self.kinds
        )
        which = None if self.which is None else self.which[mask]
        return replace(self, own=some(self.own), kinds=kinds, which=which)


def is_same(one: LossKind, other: LossKind) -> bool:
    """Say whether two losses are the same and use the same images."""
    partners = [None if kind.partner is None else kind.partner.number for kind in (one, other)]
    return one.loss is other.loss and partners[0] == partners[1]


def lone_loss(terms: Sequence[Term]) -> DescentLoss | None:
    """Return the loss that all images share, if it has no partner; None otherwise."""
    kinds = [kind for term in terms for kind in term.kinds if len(term.own.images)]
    alone = all(kind.partner is None and kind.loss is kinds[0].loss for kind in kinds)
    return kinds[0].loss if kinds and alone else None
