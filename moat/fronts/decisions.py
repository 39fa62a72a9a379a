"""The choice of a member of a front, over pymoo: everything is minimised."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymoo.decomposition.asf import ASF

from moat.errors import FrontError
from moat.fronts.dominance import as_points

LEAST = 5
"""A high trade-off stands out among its neighbours; fewer points have none that would."""


def pseudo_weighted(points: ArrayLike, weights: ArrayLike) -> int:
    """Return the place of the point whose own pseudo-weights come nearest to the weights.

    A point's pseudo-weight in an objective is how far it lies from the worst value of the set, as
    a share of the range; they add up to 1. So the weights say where on the front to stand.

    Source: Deb, Multi-Objective Optimization using Evolutionary Algorithms, 2001.
    """
    scaled, share = _scaled(points, weights)
    if not scaled.any(0).all():  # an objective without a range has no pseudo-weights
        varied = scaled.any(0)
        if varied.sum() < 2:
            return achievement(points, weights)
        scaled, share = scaled[:, varied], share[varied] / max(share[varied].sum(), 1e-12)
    if len(scaled) == 1:
        return 0
    return int(_pymoo().pseudo_weights.PseudoWeights(share).do(scaled))


def achievement(points: ArrayLike, weights: ArrayLike) -> int:
    """Return the place of the point with the least worst weighted distance to the ideal point.

    The achievement scalarizing function, each objective scaled to its range in the set. A weight
    of 0 leaves an objective all but out.

    Source: Wierzbicki, The Use of Reference Objectives in Multiobjective Optimization, 1980.
    """
    scaled, share = _scaled(points, weights)
    # pymoo divides by its weights: the more an objective matters, the smaller it is.
    values = ASF()(scaled, weights=1 / np.maximum(share, 1e-6))
    return int(np.argmin(values))


def high_trade_offs(points: ArrayLike) -> list[int]:
    """Return the places of the knees: where a small gain in one objective costs much in others.

    Those whose trade-off against their neighbours stands out from the others'; none of fewer than
    five points. Each objective is scaled to its range.

    Source: Rachmawati and Srinivasan, Multiobjective Evolutionary Algorithm with Controllable Focus
    on the Knees of the Pareto Front, 2009.
    """
    matrix = as_points(points)
    distinct, first = np.unique(matrix, axis=0, return_index=True)
    if len(distinct) < LEAST:
        return []
    scaled, _ = _scaled(distinct, np.ones(matrix.shape[1]))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # an objective in which neighbours are equal divides by 0
        found = _pymoo().high_tradeoff.HighTradeoffPoints().do(scaled)
    return sorted(int(first[place]) for place in np.atleast_1d(found)) if found is not None else []


def _pymoo() -> Any:
    """Return pymoo's room for decisions, which imports from a place that scipy has moved."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import pymoo.mcdm.high_tradeoff
        import pymoo.mcdm.pseudo_weights
    return pymoo.mcdm


def _scaled(
    points: ArrayLike, weights: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points scaled to [0, 1] in each objective, and the weights to a sum of 1."""
    matrix, share = as_points(points), np.asarray(weights, dtype=np.float64)
    if not len(matrix):
        raise FrontError("the set of points is empty.")
    if share.shape != (matrix.shape[1],) or not (share >= 0).all() or not share.sum() > 0:
        raise FrontError(
            f"a preference is one weight of at least 0 for each of {matrix.shape[1]} objectives, "
            f"not all of them 0: not {share.tolist()}."
        )
    low, high = matrix.min(0), matrix.max(0)
    width = np.where(high > low, high - low, 1.0)
    return (matrix - low) / width, share / share.sum()
