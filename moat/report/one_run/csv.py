"""Runs' scores as CSV: one line for each run, threat, strength and score."""

from collections.abc import Iterator, Sequence
from typing import Any

from moat.names import NATURAL
from moat.report.numbers import finite
from moat.report.one_run.scores import RunScores
from moat.sheets import csv_of

NAMES = ("run", "label", "seed", "score", "of", "strength", "value")


def runs_csv(scored: Sequence[RunScores]) -> str:
    """Return the lines of every run; `of` is a threat, an ensemble, or those of a union."""
    return csv_of([line for scores in scored for line in _lines(scores)], NAMES)


def _lines(scores: RunScores) -> Iterator[dict[str, Any]]:
    point = scores.point
    about = {"run": scores.typed, "label": point.label, "seed": point.seed}
    for score, of, strength, value in _scores(scores):
        yield {**about, "score": score, "of": of, "strength": strength, "value": finite(value)}


def _scores(scores: RunScores) -> Iterator[tuple[str, str, str, float | None]]:
    point = scores.point
    yield "accuracy", NATURAL, "", point.natural
    for threat, of_threat in point.accuracy.items():
        for strength, value in of_threat.items():
            yield "accuracy", threat, strength, value
    for name in point.scored:
        yield "score", name, "", point.scores[name]
        yield "worst", name, "", point.worst[name]
        yield "conditional", name, "", point.conditional[name]
    for threat, losses in scores.losses.items():
        for strength, value in losses.items():
            yield "loss", threat, strength, value
    yield "total", " ".join(point.protocol.summed), "", point.total
    yield "union", "", "", point.union
    if scores.named:
        yield "union", " ".join(scores.named), "", scores.union
    if scores.baseline is not None:
        yield "universal", "", "", scores.universal
