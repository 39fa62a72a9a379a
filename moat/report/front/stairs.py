"""Staircases of fronts in two objectives, and the region between two of them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from moat.fronts import non_dominated
from moat.outcomes.intervals import Floats

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


def staircase(points: Floats, signs: Floats, worst: Floats) -> Floats:
    """Return the corners of what points dominate, from one worst edge to the other, (corners, 2).

    Between two corners goes a horizontal or a vertical line. `signs` turn the objectives as they
    are shown into what is minimised; `worst` is the corner of the picture that all dominate.
    """
    steps = _steps(points * signs)
    far = worst * signs
    a, b = steps.T
    turned = np.stack([np.repeat(a, 2), np.append(far[1], np.repeat(b, 2)[:-1])], 1)
    corners = np.concatenate([turned, [[max(far[0], a[-1]), b[-1]]]])
    return np.asarray(corners * signs)


def gain_and_loss(
    ours: Floats, theirs: Floats, signs: Floats, worst: Floats
) -> tuple[list[Box], list[Box]]:
    """Return what only our front dominates, and what only theirs does, each as boxes."""
    one, two, far = _steps(ours * signs), _steps(theirs * signs), worst * signs
    cuts = np.unique(np.concatenate([one[:, 0], two[:, 0], far[:1]]))
    cuts = cuts[cuts <= far[0]]
    gained, lost = list[Box](), list[Box]()
    for left, right in pairwise(cuts.tolist()):
        mine, other = (min(_attained(steps, left), far[1]) for steps in (one, two))
        if mine != other:
            corners = np.array([[left, mine], [right, other]]) * signs
            low, high = corners.min(0), corners.max(0)
            box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
            (gained if mine < other else lost).append(box)
    return gained, lost


def boxes_along(corners: Floats) -> Sequence[Box]:
    """Return thin boxes along the lines between corners."""
    low, high = np.minimum(corners[:-1], corners[1:]), np.maximum(corners[:-1], corners[1:])
    return [tuple(box) for box in np.concatenate([low - 1, high + 1], 1).tolist()]


def _steps(points: Floats) -> Floats:
    """Return the distinct non-dominated points, the first objective ascending."""
    return np.unique(points[non_dominated(points)], axis=0)


def _attained(steps: Floats, first: float) -> float:
    """Return the best second objective where the first is at most this."""
    return float(steps[steps[:, 0] <= first, 1].min(initial=np.inf))
