"""The outcome of every example, and every score as a pure function of the outcomes."""

from moat.outcomes.arrays import from_arrays
from moat.outcomes.columns import EPSILON, NATURAL_COLUMN, STEPS, Column
from moat.outcomes.contributions import (
    bounds_of,
    contributions,
    robustness_contributions,
    share_contributions,
)
from moat.outcomes.intervals import mean_interval, seeds_interval, share_interval
from moat.outcomes.matrix import FELL, NOT_SEARCHED, WITHSTOOD, Outcomes
from moat.outcomes.resampling import resampling_weights, seed_moves
from moat.outcomes.scores import (
    accuracy,
    mean_loss,
    robustness_score,
    share,
    summary,
    total,
    union,
    universal,
    worst,
)
from moat.outcomes.searches import NATURAL_SEARCHES, searches_of, union_searches, withstood
from moat.outcomes.trends import Trend, rank_correlations, resampled_scores

__all__ = [
    "EPSILON",
    "FELL",
    "NATURAL_COLUMN",
    "NATURAL_SEARCHES",
    "NOT_SEARCHED",
    "STEPS",
    "WITHSTOOD",
    "Column",
    "Outcomes",
    "Trend",
    "accuracy",
    "bounds_of",
    "contributions",
    "from_arrays",
    "mean_interval",
    "mean_loss",
    "rank_correlations",
    "resampled_scores",
    "resampling_weights",
    "robustness_contributions",
    "robustness_score",
    "searches_of",
    "seed_moves",
    "seeds_interval",
    "share",
    "share_contributions",
    "share_interval",
    "summary",
    "total",
    "union",
    "union_searches",
    "universal",
    "withstood",
    "worst",
]
