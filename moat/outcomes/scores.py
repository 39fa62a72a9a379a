"""Every score, as a pure function of the outcome matrix.

Scores are in percent. Section 3.1 of the paper counts only the examples that the model classifies
correctly to begin with, its tables do not say: `conditional=True` gives the former, and both are
always reported under their own names. A score that would touch an outcome that was not searched is
refused by name (UnsearchedError).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from statistics import fmean

import numpy as np

from moat.errors import InputError, UnsearchedError
from moat.outcomes.columns import NATURAL_COLUMN, Column
from moat.outcomes.matrix import Outcomes
from moat.outcomes.searches import Searches, searches_of, union_searches, withstood
from moat.public import public


@public
def accuracy(outcomes: Outcomes, column: Column, *, conditional: bool = False) -> float:
    """Return the share of examples that withstood a column's strength at every restart, in percent.

    `conditional`: among the examples that are classified correctly without a search; NaN if there
    are none.
    """
    return share(outcomes, (column,), conditional=conditional)


@public
def robustness_score(outcomes: Outcomes, threat: str, *, conditional: bool = False) -> float:
    """Return the mean of a threat's accuracies over its strengths (Section 4.4)."""
    return fmean(_accuracies(outcomes, threat, conditional))


@public
def worst(outcomes: Outcomes, threat: str, *, conditional: bool = False) -> float:
    """Return the lowest of a threat's accuracies over its strengths."""
    return min(_accuracies(outcomes, threat, conditional))


@public
def total(outcomes: Outcomes, threats: Iterable[str], *, conditional: bool = False) -> float:
    """Return the raw sum of the robustness scores, as the last row of Table 2 does."""
    return sum(robustness_score(outcomes, name, conditional=conditional) for name in threats)


@public
def universal(
    outcomes: Outcomes, baseline: Outcomes, threats: Iterable[str], *, conditional: bool = False
) -> float:
    """Return the sum of the gains over the natural model, as Table 1 prints it.

    The text of Section 4.4 calls it an average; the table's figures are sums.
    """
    threats = list(threats)
    gained = total(outcomes, threats, conditional=conditional)
    return gained - total(baseline, threats, conditional=conditional)


@public
def union(outcomes: Outcomes, threats: Iterable[str]) -> float:
    """Return the share of examples that withstood every search, the natural image included.

    One outcome of 0 settles an example, even if others were not searched.

    Source: Maini et al., Adversarial Robustness Against the Union of Multiple Perturbation Models,
    2020, Section 3.
    """
    return share(outcomes, union_searches(outcomes, threats))


@public
def mean_loss(outcomes: Outcomes, column: Column) -> float:
    """Return the mean, over all examples, of the highest loss of a strength's restarts.

    Raises MoatError for outcomes without losses, and for a strength without the losses of all
    examples.
    """
    places = outcomes.restarts(column)
    if outcomes.losses is None:
        raise InputError(
            "these outcomes were stored without losses.",
            hint="`moat evaluate` with the run's folder keeps them.",
        )
    highest = np.fmax.reduce(outcomes.losses[:, places], axis=1)  # NaN only where all are
    if np.isnan(highest).any():
        raise UnsearchedError(
            f"{column.threat!r} at strength {column.written} lacks the losses of some examples, "
            f"so it has no mean."
        )
    return float(highest.mean(dtype=np.float64))


@public
def summary(outcomes: Outcomes, threats: Sequence[str]) -> dict[str, object]:
    """Return every score without a baseline, by name; None for one that cannot be made.

    A conditional score is None if no example is classified correctly without a search; total and
    union are None without a searched threat. `threats` are the summed ones. An ensemble has one
    strength, so its score is its accuracy.
    """
    made = partial(_made, outcomes)
    names = outcomes.names
    return {
        "natural": made(accuracy, NATURAL_COLUMN),
        "accuracy": {
            name: {column.written: made(accuracy, column) for column in outcomes.of(name)}
            for name in outcomes.threats
        },
        "scores": {name: made(robustness_score, name) for name in names},
        "worst": {name: made(worst, name) for name in names},
        "conditional": {name: made(robustness_score, name, conditional=True) for name in names},
        "summed": list(threats),
        "total": made(total, threats) if outcomes.threats else None,
        "union": made(union, outcomes.threats) if outcomes.threats else None,
        "examples": len(outcomes.ids),
    }


def _made(
    outcomes: Outcomes, score: Callable[..., float], *asked: object, **how: bool
) -> float | None:
    """Return a score, None where it would touch what was not searched, or is undefined."""
    try:
        made = score(outcomes, *asked, **how)
    except UnsearchedError:
        return None
    return None if math.isnan(made) else made


def _accuracies(outcomes: Outcomes, name: str, conditional: bool) -> list[float]:
    """Return an accuracy for each strength of a threat, or the one of an ensemble."""
    return [share(outcomes, each, conditional=conditional) for each in searches_of(outcomes, name)]


@lru_cache(maxsize=256)  # the scores of one matrix ask for the same shares again and again
def share(outcomes: Outcomes, searches: Searches, *, conditional: bool = False) -> float:
    """Return the percentage of examples that withstood all of these searches, NaN of no example.

    `conditional`: of the examples classified correctly to begin with.
    """
    held = withstood(outcomes, searches, conditional=conditional)
    if not held.size:
        return float("nan")
    return 100.0 * (int(np.count_nonzero(held)) / held.size)
