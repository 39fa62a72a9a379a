"""log.jsonl: a line every few steps, and one after each epoch with the held-out accuracies."""

from typing import Any, Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from moat.records.kinds import Count, Number, NumberTable


@with_config(ConfigDict(extra="allow"))
class LogLine(TypedDict, total=False):
    """One record of the log; a scalarizer adds keys of its own."""

    step: Required[Count]
    steps: Count
    epoch: Count
    loss: NumberTable
    weight: NumberTable
    validation: NumberTable
    lr: Number | None
    images_per_second: Number | None
    clamped: bool
    r_effective: Number | None
    score: Any
