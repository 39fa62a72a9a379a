"""The results of the sanity gate, kept with the evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Strict

from moat.records.kinds import Line, OrAbsent
from moat.records.stored_table import StoredTable

Verdict = Literal["pass", "warn", "fail", "not checked"]
_Figure = Annotated[float, Strict()]


@dataclass(frozen=True)
class Check:
    """The result of one check: its verdict, the worst threat's figure, and an explanation.

    `figures` has every threat's; a figure that is not finite is None. If the check was impossible,
    the sentence gives the reason.
    """

    name: Line
    verdict: Verdict
    text: Line
    figure: _Figure | None = None
    unit: str = ""
    of: str | None = None  # the threat with the worst figure
    figures: Mapping[str, _Figure | None] = field(default_factory=dict)
    high_is_good: Annotated[bool, Strict()] = False

    def as_table(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**vars(self), "figures": dict(self.figures)}


class EvaluationRecord(StoredTable):
    """evaluation.json: whose evaluation it is, its scores, and its sanity gate.

    An evaluation older than the gate has no checks.
    """

    # A dataclass is made of a table only so; what a check's fields take is strict by itself.
    model_config = ConfigDict(strict=False)

    protocol_hash: OrAbsent[str] = None
    scores: OrAbsent[dict[str, Any]] = None
    sanity: tuple[Check, ...] = ()
