"""How good a set of points is, alone and against another."""

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

from moat.errors import FrontError
from moat.fronts.dominance import as_points


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Return the volume that the points dominate within the reference point (minimised).

    Points beyond the reference in any objective count for nothing.

    Source: Zitzler and Thiele, Multiobjective Evolutionary Algorithms, 1999.
    """
    matrix = as_points(points)
    corner = np.asarray(reference, dtype=np.float64)
    if corner.shape != (matrix.shape[1],):
        raise FrontError(
            f"the reference point has shape {corner.shape} for {matrix.shape[1]} objectives."
        )
    if not np.isfinite(corner).all():
        raise FrontError(f"the reference point is not finite: {corner.tolist()}.")
    inside = matrix[(matrix < corner).all(1)]
    if not len(inside):
        return 0.0
    if len(corner) == 1:  # moocore wants two objectives
        return float(corner[0] - inside.min())
    return float(moocore.hypervolume(inside, ref=corner))


def igd_plus(points: ArrayLike, other: ArrayLike) -> float:
    """Return how far the points fall short of another front, in the mean over its members.

    A member of the other front counts with its distance to the nearest of the points, of which
    only the objectives that are worse there are measured; 0 where it is dominated or equalled.
    In the unit of the objectives; minimised.

    Source: Ishibuchi et al., Modified Distance Calculation in Generational Distance and Inverted
    Generational Distance, 2015.
    """
    return float(moocore.igd_plus(*_pair(points, other)))


def additive_epsilon(points: ArrayLike, other: ArrayLike) -> float:
    """Return by how much the points must improve in every objective to cover another front.

    Negative where they have that to spare. In the unit of the objectives; minimised.

    Source: Zitzler et al., Performance Assessment of Multiobjective Optimizers, 2003.
    """
    return float(moocore.epsilon_additive(*_pair(points, other)))


def _pair(points: ArrayLike, other: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ours, theirs = as_points(points), as_points(other)
    if not len(ours) or not len(theirs) or ours.shape[1] != theirs.shape[1] or ours.shape[1] < 2:
        raise FrontError(
            "two sets of points are compared in the same two or more objectives, and neither is "
            f"empty: not {ours.shape} and {theirs.shape}."
        )
    return ours, theirs
