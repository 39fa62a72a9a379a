"""Pareto dominance over moocore (Section 4.1 of the paper)."""

from collections.abc import Sequence

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

from moat.errors import FrontError
from moat.public import public

COMPARED = 1 << 21
"""Pairs of points that are compared at once: their verdicts take two MiB."""


def as_points(points: ArrayLike, names: Sequence[str] | None = None) -> NDArray[np.float64]:
    """Return the points as a finite matrix (points, objectives).

    Raises FrontError that names the first point with NaN or infinity: one such row can join the
    front, or become all of it.
    """
    try:
        matrix = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise FrontError(
            f"points are a matrix of numbers (points, objectives): {error}.",
            hint="Give every point one number for each objective.",
        ) from error
    if matrix.ndim != 2:
        raise FrontError(f"points are a matrix (points, objectives), not of shape {matrix.shape}.")
    broken = ~np.isfinite(matrix).all(1)
    if broken.any():
        row = int(broken.argmax())
        name = names[row] if names else f"point {row}"
        raise FrontError(
            f"{name} is not finite: {matrix[row].tolist()}.",
            hint="Evaluate it again, or leave it out.",
        )
    return matrix


@public
def non_dominated(points: ArrayLike) -> NDArray[np.bool_]:
    """Return the bool mask of the points that no other dominates (minimised; equals are kept).

    θ¹ dominates θ² if it is worse in no objective and better in one.

    Example:
        >>> non_dominated([[0, 1], [1, 0], [1, 1]]).tolist()
        [True, True, False]
    """
    matrix = as_points(points)
    if matrix.shape[1] < 2 or not len(matrix):  # moocore wants two objectives
        return np.asarray((matrix == matrix.min(0, initial=np.inf)).all(1))
    return np.asarray(moocore.is_nondominated(matrix, keep_weakly=True), dtype=bool)


@public
def dominated_by(points: ArrayLike) -> list[int | None]:
    """Return for each point the first member of the front that dominates it, None for members.

    Example:
        >>> dominated_by([[0, 1], [1, 0], [1, 1]])
        [None, None, 0]
    """
    matrix = as_points(points)
    on = non_dominated(matrix)
    front, left = np.flatnonzero(on), np.flatnonzero(~on)
    found: list[int | None] = [None] * len(matrix)
    start = 0
    while len(left):  # every point off the front has a dominator on it, and most an early one
        members = front[start : start + max(1, COMPARED // len(left))]
        # A point off the front equals none of its members: nowhere worse is better.
        covered = np.ones((len(left), len(members)), dtype=bool)
        for objective in matrix.T:
            covered &= objective[members] <= objective[left, None]
        first, known = covered.argmax(1), covered.any(1)
        for point, rival in zip(left[known], members[first[known]], strict=True):
            found[point] = int(rival)
        left, start = left[~known], start + len(members)
    return found
