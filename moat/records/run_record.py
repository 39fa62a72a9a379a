"""run.json: what a finished run, or the evaluation of somebody else's model, says of itself."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from moat.records.kinds import Count, Line, Name, Number

_OPEN = ConfigDict(extra="allow")
_Counts = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
_Radii = Annotated[list[Annotated[Number, Field(gt=0)]], Field(min_length=1)]


@with_config(_OPEN)
class ThreatRecord(TypedDict, total=False):
    """A threat of the protocol: its numbers, and its strengths."""

    type: str
    at_steps: _Counts
    at_epsilon: _Radii
    restarts: Annotated[int, Field(ge=1)]
    search: str
    steps: Count


@with_config(_OPEN)
class ProtocolRecord(TypedDict, total=False):
    """How the model was judged."""

    threats: dict[Line, ThreatRecord]
    summed: list[str]
    ensembles: dict[Line, list[str]]
    examples: Annotated[int, Field(ge=1)] | None
    falls: Literal["last", "any"]
    union_only: bool


def _a_command(words: list[str]) -> list[str]:
    if words[:2] != ["moat", "evaluate"]:
        raise ValueError("should be a command of `moat evaluate`")
    return words


@with_config(_OPEN)
class RunRecord(TypedDict, total=False):
    """One run. What is only told and never computed with may be of any kind."""

    study: Name
    variant: Name
    label: Line
    sweep: dict[Line, Any]
    seed: Count
    train_hash: str
    data: dict[str, Any]
    shape: Annotated[
        list[Annotated[int, Field(ge=1, le=1 << 16)]], Field(min_length=3, max_length=3)
    ]
    machine: dict[str, Any]
    protocol: ProtocolRecord
    protocol_hash: Line
    foreign: bool
    of: str
    command: Annotated[list[Line], AfterValidator(_a_command)]
