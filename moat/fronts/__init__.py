"""Points in, points out: dominance, and the quality of a set of points.

Everything is minimised; negate what is to be maximised.
"""

from moat.fronts.dominance import dominated_by, non_dominated
from moat.fronts.indicators import (
    MOST_OBJECTIVES,
    additive_epsilon,
    hypervolume,
    igd_plus,
    is_exact,
)

__all__ = [
    "MOST_OBJECTIVES",
    "additive_epsilon",
    "dominated_by",
    "hypervolume",
    "igd_plus",
    "is_exact",
    "non_dominated",
]
