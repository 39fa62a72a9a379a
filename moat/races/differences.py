"""Paired differences as numbers, refused if they have no test."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from moat.errors import InputError


def paired(differences: ArrayLike, fewest: int = 0) -> NDArray[np.float64]:
    """Return paired differences (..., seeds) as an array.

    Raises InputError for fewer seeds than `fewest`, and for a value that is not finite.

    Example:
        >>> paired([1, 2.5]).tolist()
        [1.0, 2.5]
    """
    each = np.asarray(differences, dtype=np.float64)
    if each.ndim == 0 or each.shape[-1] < fewest:
        raise InputError(
            f"{each.size} paired differences are too few: the test needs {fewest} or more.",
            where="differences",
            hint="Give one for each seed.",
        )
    if not np.isfinite(each).all():
        raise InputError(
            "the paired differences have a value that is not finite.",
            where="differences",
            hint="Leave out the seeds that lack a score.",
        )
    return each
