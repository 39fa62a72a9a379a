"""log.jsonl: a line every few steps, and one after each epoch with the held-out accuracies."""

from typing import Any, Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from moat.records.kinds import Count, Number, NumberTable


class ConflictTable(TypedDict, total=False):
    """The gradients of the objectives at a step: cosines a pair, norms an objective, by layer.

    The pairs are (0, 1), (0, 2), ..., (1, 2), ...; an undefined cosine is None.
    """

    objectives: Required[list[str]]
    cosines: Required[list[Number | None]]
    norms: Required[list[Number | None]]
    layers: Required[dict[str, dict[str, list[Number | None]]]]
    passes: Required[Count]


@with_config(ConfigDict(extra="allow"))
class LogLine(TypedDict, total=False):
    """One record of the log; a scalarizer adds keys of its own."""

    step: Required[Count]
    steps: Count
    epoch: Count
    loss: NumberTable
    weight: NumberTable
    conflict: ConflictTable
    validation: NumberTable
    lr: Number | None
    images_per_second: Number | None
    clamped: bool
    r_effective: Number | None
    score: Any
