"""The checks of outcomes and of the searches' own numbers, without another search."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moat.evaluation.evaluator import Evaluation
from moat.evaluation.protocol import Protocol
from moat.evaluation.sanity import questions as asked
from moat.evaluation.sanity.questions import Question
from moat.losses import TARGETED
from moat.outcomes import FELL, NOT_SEARCHED, WITHSTOOD, Column
from moat.records import Check
from moat.threats import GradientThreat

_Figure = Callable[[Evaluation, str], float | None]


def matrix_checks(evaluation: Evaluation) -> Iterator[Check]:
    """Yield what can be said of a finished evaluation."""
    labels = list(evaluation.protocol.threats)
    climbed = [label for label in labels if follows_gradient(evaluation.protocol, label)]
    yield asked.LOGITS.answer(
        {"natural": 100 * float((~np.isfinite(evaluation.found.losses[:, 0])).mean())}, ""
    )
    asks: tuple[tuple[Question, _Figure, list[str], str], ...] = (
        (asked.GRADIENTS, _blind, climbed, NO_GRADIENT),
        (asked.LOSS, _lower, climbed, NO_GRADIENT),
        (asked.REACH, _reached, climbed, NO_GRADIENT),
        (asked.STRENGTHS, _rise, labels, "No threat was searched in full at several strengths."),
        (asked.RESTARTS, _drop, labels, "No threat was searched again from another start."),
    )
    for question, measure, of, why_not in asks:
        figures = {label: measure(evaluation, label) for label in of}
        known = {label: figure for label, figure in figures.items() if figure is not None}
        yield question.answer(known, why_not)


def follows_gradient(protocol: Protocol, label: str) -> bool:
    """Say whether a threat is searched by climbing a gradient."""
    threat = protocol.threats[label]
    return isinstance(threat, GradientThreat) and threat.search != "random"


def _searched(evaluation: Evaluation, label: str) -> tuple[list[int], NDArray[np.bool_]]:
    """Return a threat's places in the matrix, and which entries there were searched at all."""
    columns = evaluation.protocol.columns()
    places = [place for place, column in enumerate(columns) if column.threat == label]
    return places, np.isfinite(evaluation.found.reached[:, places])


def _blind(evaluation: Evaluation, label: str) -> float | None:
    """Return the share of examples that a search was blind for, in percent."""
    places, searched = _searched(evaluation, label)
    rows = searched.any(1)
    blind = ((evaluation.found.blind[:, places] == 1) & searched).any(1)
    return 100 * float(blind[rows].mean()) if rows.any() else None


def _lower(evaluation: Evaluation, label: str) -> float | None:
    """Return the share of searches, each to its largest strength, that ended below their start."""
    places, found = _longest(evaluation, label), evaluation.found
    first, last = found.first[:, places], found.last[:, places]
    both = np.isfinite(first) & np.isfinite(last) & _went_all_the_way(evaluation, places)
    lower = last < first - 1e-4 * np.maximum(np.abs(first), 1e-3)  # beyond rounding
    return 100 * float(lower[both].mean()) if both.any() else None


def _longest(evaluation: Evaluation, label: str) -> list[int]:
    """Return the places of a threat's largest strength, all restarts of it."""
    columns = evaluation.protocol.columns()
    largest = max(column.strength for column in columns if column.threat == label)
    return [n for n, c in enumerate(columns) if c.threat == label and c.strength == largest]


def _reached(evaluation: Evaluation, label: str) -> float | None:
    """Return how far the median search gets, of those that went their whole way."""
    places = _longest(evaluation, label)
    reached = evaluation.found.reached[:, places]
    whole = np.isfinite(reached) & _went_all_the_way(evaluation, places)
    return float(np.median(reached[whole])) if whole.any() else None


def _went_all_the_way(evaluation: Evaluation, places: list[int]) -> NDArray[np.bool_]:
    """Return which searches no fall ended."""
    stood = evaluation.found.outcomes[:, places] == WITHSTOOD
    return stood if evaluation.protocol.falls == "any" else np.ones_like(stood)


def _rise(evaluation: Evaluation, label: str) -> float | None:
    """Return the largest rise of accuracy from one strength to the next, in points; 0 of none."""
    strengths = evaluation.outcomes.of(label)
    found = [_accuracy(evaluation, column) for column in strengths]
    known = [accuracy for accuracy in found if accuracy is not None]
    if len(known) < 2 or len(known) < len(found):
        return None
    return max(0.0, *(after - before for before, after in pairwise(known)))


def _accuracy(evaluation: Evaluation, column: Column) -> float | None:
    """Return the share that fell at no restart of this very strength, whatever of smaller ones."""
    values = evaluation.found.outcomes[:, evaluation.outcomes.restarts(column)]
    if (values == NOT_SEARCHED).any():
        return None
    return 100 * float((values != FELL).all(1).mean())


def _drop(evaluation: Evaluation, label: str) -> float | None:
    """Return how much one restart lowers the accuracy when all others were made, in points.

    At the largest strength, the mean over the restarts: about what one more would be worth.
    """
    threat, protocol = evaluation.protocol.threats[label], evaluation.protocol
    aims = isinstance(threat, GradientThreat) and threat.loss in TARGETED
    if protocol.restarts.get(label, 1) == 1 or aims:  # restarts that aim elsewhere differ in kind
        return None
    values = evaluation.found.outcomes[:, _longest(evaluation, label)]
    if (values == NOT_SEARCHED).any():
        return None
    felled_by_one_alone = (values == FELL).sum(1) == 1
    return float(100 * felled_by_one_alone.mean() / len(values[0]))


NO_GRADIENT = "No search of the protocol climbs a gradient."
