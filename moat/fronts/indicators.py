"""How good a set of points is."""

import numpy as np
from numpy.typing import ArrayLike
from pymoo.indicators.hv import HV

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
    return float(HV(ref_point=corner)(inside)) if len(inside) else 0.0
