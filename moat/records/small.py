"""The small files beside a run's record: its times, its last failure, the reports' files."""

from typing import Literal, Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from moat.records.kinds import Name, Number


@with_config(ConfigDict(extra="forbid"))
class Clock(TypedDict, total=False):
    """clock.json: seconds, and of which protocol those of the evaluation are."""

    training: Number
    evaluation: Number
    protocol_hash: str


@with_config(ConfigDict(extra="allow"))
class Failure(TypedDict, total=False):
    """failed.json: why a run failed, and when."""

    message: Required[str]
    where: str
    hint: str
    when: str


@with_config(ConfigDict(extra="allow"))
class Manifest(TypedDict):
    """.moat-manifest.json: the digests of each file that a report wrote into its folder."""

    format: Literal[1]
    files: dict[Name, list[str]]
