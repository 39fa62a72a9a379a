"""race.json: the plan of a race, written before the first look."""

from pydantic import Field

from moat.records.kinds import Count, Line, Number, PathBelow
from moat.records.stored_table import StoredTable


class RaceRecord(StoredTable):
    """The rules of a race, its score, its design and its seeds; results are not kept in it.

    `folders` has the run folders of each rule within the study, without their seeds: one, or those
    of all points whose hypervolume is the score. `trainings` has the training hash of each of these
    and of the natural run for the first seed. `floor` is what was known of it before the start, in
    points.
    """

    format: int
    study: Line
    rules: dict[Line, list[PathBelow]]
    baseline: Line
    score: Line
    objectives: list[Line]
    reference: list[Number]
    margin: Number
    level: Number
    exact: bool
    looks: list[Count]
    seeds: list[Count]
    protocol_hash: str
    trainings: dict[str, str]
    natural: PathBelow | None = None
    choose: list[Line] = Field(default_factory=list)
    choice_seeds: list[Count] = Field(default_factory=list)
    choice: dict[Line, dict[Line, Number]] = Field(default_factory=dict)
    passes: dict[Line, Number] = Field(default_factory=dict)
    shared: list[Line] = Field(default_factory=list)
    floor: Number | None = None
    nominal_level: Number | None = None
