"""The reach of a race: the fewest seeds after which its last look can decide better or worse."""

from dataclasses import replace

import numpy as np

from moat.public import public
from moat.races.design import Design
from moat.races.flips import flips_reject

_BEYOND = 20
"""A last look after more seeds decides nothing that one after so many does not."""


@public
def fewest_seeds(design: Design, pairs: int = 1) -> int | None:
    """Return the smallest last look with which the test can decide better or worse.

    The looks begin at the first of the design, and its level is shared by the `pairs` that it
    compares. Student's t can decide at every look. Of n seeds two in 2^n sign flips are as large as
    the largest difference, so few seeds may not reach the level. None if no number of seeds does.

    Example:
        >>> fewest_seeds(Design(first=2, last=3, exact=True)), fewest_seeds(Design(first=2, last=3))
        (6, 2)
    """
    if not design.exact:
        return design.first
    lasts = range(design.first, max(design.first, _BEYOND) + 1)
    return next((last for last in lasts if _can_decide(design, last, pairs)), None)


@public
def can_decide(design: Design, pairs: int = 1) -> bool:
    """Say whether a look of the design can decide better or worse between one of the pairs.

    Example:
        >>> can_decide(Design(3, 12, exact=True)), can_decide(Design(3, 5, exact=True))
        (True, False)
    """
    return not design.exact or _can_decide(design, design.last, pairs)


def _can_decide(design: Design, last: int, pairs: int) -> bool:
    """Say whether equal differences, which have the smallest p, are told from 0."""
    return flips_reject(np.ones(last), replace(design, last=last), design.level / pairs)
