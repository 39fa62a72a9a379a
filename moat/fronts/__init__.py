"""Points in, points out: who dominates whom, and how good a set of points is.

Everything is minimised; negate what is to be maximised.
"""

from moat.fronts.dominance import dominated_by, non_dominated
from moat.fronts.indicators import hypervolume

__all__ = ["dominated_by", "hypervolume", "non_dominated"]
