"""run.json: what a finished run, or the evaluation of somebody else's model, says of itself."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from moat.records.kinds import Count, Line, Name, Number, PathBelow

_OPEN = ConfigDict(extra="allow")
_Counts = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
_Radii = Annotated[list[Annotated[Number, Field(gt=0)]], Field(min_length=1)]


@with_config(_OPEN)
class ThreatRecord(TypedDict, total=False):
    """A threat of the protocol: its numbers, and its strengths."""

    type: str
    at_steps: _Counts
    at_epsilon: _Radii
    epsilon: Number
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
    sample: Literal["stratified", "first"]


@with_config(_OPEN)
class PartnerRecord(TypedDict):
    """The run of the study on whose model the gate finds images for this one."""

    run: PathBelow
    label: Line
    seed: Count


@with_config(_OPEN)
class OpenTransfer(TypedDict):
    """The gate's last question waits for the partner, and why; in what passes it is to be asked."""

    why: str
    pass_size: Annotated[int, Field(ge=1)] | None


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
    files: dict[Line, Line]
    machine: dict[str, Any]
    protocol: ProtocolRecord
    protocol_hash: Line
    partner: PartnerRecord | None
    open_transfer: OpenTransfer
    foreign: bool
    of: str


def command_of(record: Mapping[str, Any]) -> list[str] | None:
    """Return the words that make an evaluation again, None where they are not those of moat."""
    words = record.get("command")
    if not isinstance(words, list) or words[:2] != ["moat", "evaluate"]:
        return None
    shown = all(isinstance(word, str) and word.isprintable() for word in words)
    return words if shown else None
