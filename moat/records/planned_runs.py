"""study.json: which runs of a study are planned."""

from typing import Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from moat.records.kinds import Count, Line, PathBelow


@with_config(ConfigDict(extra="allow"))
class PlannedRun(TypedDict, total=False):
    """One run, before there is anything to see of it."""

    folder: Required[PathBelow]
    label: Line
    seed: Count
    epochs: Count
    batch_size: Count
    protocol_hash: str


@with_config(ConfigDict(extra="allow"))
class PlannedRuns(TypedDict):
    """The runs, in the recipe's order."""

    runs: list[PlannedRun]
