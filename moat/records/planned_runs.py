"""study.json: the planned runs of a study."""

from typing import NotRequired, Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from moat.records.kinds import Count, Line, Name, NumberTable, PathBelow


@with_config(ConfigDict(extra="allow"))
class PlannedRun(TypedDict, total=False):
    """One run, before it has a folder."""

    folder: Required[PathBelow]
    label: Line
    seed: Count
    epochs: Count
    batch_size: Count
    protocol_hash: str
    passes: NumberTable


@with_config(ConfigDict(extra="allow"))
class PlannedRuns(TypedDict):
    """The runs, in the recipe's order, and the variants that were ever planned."""

    runs: list[PlannedRun]
    variants: NotRequired[list[Name]]
