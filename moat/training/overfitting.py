"""Catastrophic overfitting: the accuracy under more steps falls, that of the own search rises."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from moat.fields import Fields
from moat.number_bounds import MOST_COUNTED, PositiveCount

SeveralSteps = Annotated[int, Field(ge=2, le=MOST_COUNTED)]


class Overfitting(Fields):
    """The watch for catastrophic overfitting of searches with few steps.

    Every `every` training steps (default: once an epoch), a fixed draw of training `examples` is
    searched as in training, and with `steps` iterations of together the same length. A threat has
    overfitted once the two accuracies lie `apart` points further apart than when that under more
    steps was highest: it has fallen since, by a quarter of these points at least, and that under
    the training's own search has risen. The run reports the threat. With `switch`, its searches
    have so many steps from then on.

    Example:
        >>> Overfitting(steps=20, switch=5).apart
        20.0

    Source: Wong, Rice and Kolter, Fast is Better than Free, 2020, Section 5.4; Li et al., Towards
    Understanding Fast Adversarial Training, 2020 (the switch).
    """

    every: PositiveCount | None = None  # steps of the training; an epoch where it is not given
    examples: PositiveCount = 256  # of the training split
    steps: SeveralSteps = 10  # iterations of the stronger search
    apart: Annotated[float, Field(gt=0, le=100)] = 20.0  # points of accuracy
    switch: SeveralSteps | None = None  # iterations from then on


@dataclass(frozen=True)
class Accuracies:
    """The accuracies of one look at a threat, in %.

    Example:
        >>> Accuracies(own=97.0, more=8.0)
        Accuracies(own=97.0, more=8.0)
    """

    own: float  # under the search of the training
    more: float  # under more steps


NOISE = 0.25
"""The share of the points that the accuracy under more steps falls at least."""


def has_overfitted(highest: Accuracies, look: Accuracies, apart: float) -> bool:
    """Say whether the training has overfitted since the look with the highest `more`.

    Example:
        >>> best = Accuracies(own=60.0, more=52.0)
        >>> [has_overfitted(best, Accuracies(own, more), 20.0) for own, more in ((97, 8), (40, 30))]
        [True, False]
    """
    fell, rose = highest.more - look.more, look.own - highest.own
    return fell >= NOISE * apart and rose >= 0 and fell + rose >= apart
