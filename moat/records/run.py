"""run.json: the record of a finished run, or of the evaluation of a foreign model."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from moat.records.kinds import Count, Line, Name, OrAbsent
from moat.records.partner import OpenTransfer, PartnerRecord
from moat.records.protocol import ProtocolRecord
from moat.records.start import StartRecord
from moat.records.stored_table import StoredTable


def _three(sides: Any) -> Any:
    if isinstance(sides, list | tuple) and len(sides) != 3:
        raise ValueError("should be channels, height and width")
    return sides


_Side = Annotated[int, Field(strict=True, ge=1, le=1 << 16)]
_Shape = Annotated[tuple[_Side, _Side, _Side], Field(strict=False), BeforeValidator(_three)]


def command_of(words: Any) -> tuple[str, ...] | None:
    """Return the words of the command that repeats an evaluation, None if it is not moat's.

    Example:
        >>> command_of(["rm", "-rf", "~"]) is None
        True
    """
    if not isinstance(words, list | tuple) or tuple(words[:2]) != ("moat", "evaluate"):
        return None
    shown = all(isinstance(word, str) and word.isprintable() for word in words)
    return tuple(words) if shown else None


class _Told(StoredTable):
    """The facts of a record about a model, trained by moat or not.

    What is only told and never computed with may be of any kind.
    """

    moat: OrAbsent[Line] = None  # the version that wrote it
    study: Name
    variant: Name
    sweep: dict[Line, Any]
    seed: Count
    label: Line
    tags: Annotated[tuple[str, ...], Field(strict=False)] = ()  # the user's own, and so the notes
    notes: str = ""
    foreign: bool = False  # moat did not train it
    train_hash: OrAbsent[str] = None
    trains: dict[str, Any]
    weights: OrAbsent[str] = None  # their digest, where the model lies elsewhere
    data: dict[str, Any]
    shape: _Shape
    classes: Annotated[int, Field(ge=1)]
    training: dict[str, Any] = Field(default_factory=dict)
    start: OrAbsent[StartRecord] = None  # whose weights it began with, where they were not new
    machine: dict[str, Any] = Field(default_factory=dict)
    plugins: OrAbsent[dict[Line, Line]] = None  # packages of what trained it, with versions
    of: OrAbsent[str] = None  # the run that is judged here under another protocol
    command: Annotated[tuple[str, ...] | None, BeforeValidator(command_of)] = None
    partner: PartnerRecord | None = None  # None where there is none, or none was known yet
    open_transfer: OrAbsent[OpenTransfer] = None
    files: OrAbsent[dict[Line, Line]] = None  # their digests, None of a time before there were such

    @property
    def own_keys(self) -> tuple[str, ...]:
        """Further keys from its writer.

        A record without `files` is older than digests, and has fewer.
        """
        if self.files is None:
            return ()
        trained = () if self.is_evaluation_alone else ("train_hash", "training")
        return ("moat", *trained, "machine", "scores")

    @property
    def passes_to_here(self) -> float | None:
        """The passes of its training and of those that led to its start; None if not known."""
        own = self.training.get("passes")
        before = 0.0 if self.start is None else self.start.passes
        if before is None or isinstance(own, bool) or not isinstance(own, int | float):
            return None
        return before + own

    @property
    def knows_partner(self) -> bool:
        """Whether it names the partner, or says that there is none."""
        return "partner" in self.as_table()

    @property
    def is_evaluation_alone(self) -> bool:
        """Whether the folder has only the evaluation, and the model is elsewhere."""
        return self.foreign or bool(self.of)


class ModelRecord(_Told):
    """The facts about a model before its evaluation."""

    def judged(
        self,
        *,
        protocol_hash: str,
        protocol: Mapping[str, Any],
        scores: Mapping[str, Any],
        files: Mapping[str, str],
        plugins: Mapping[str, str] | None = None,
    ) -> "RunRecord":
        """Return the record of the finished run, its keys in one order, judged before or not.

        `plugins` are the packages of the protocol's threats, with their versions.
        """
        judged: dict[str, Any] = {"protocol_hash": protocol_hash, "protocol": dict(protocol)}
        judged |= {"scores": scores} | ({"evaluation_plugins": dict(plugins)} if plugins else {})
        kept = (item for item in self.as_table().items() if item[0] != "evaluation_plugins")
        told = {key: value for key, value in kept if key not in judged}
        return RunRecord.model_validate({**told, **judged, "files": dict(files)})


class RunRecord(_Told):
    """A finished run: the model, its protocol, and its scores."""

    protocol_hash: Line
    protocol: ProtocolRecord
    evaluation_plugins: OrAbsent[dict[Line, Line]] = None  # packages of its threats, with versions
    scores: OrAbsent[dict[str, Any]] = None

    @property
    def model(self) -> ModelRecord:
        """The record of the model alone, for another evaluation."""
        return ModelRecord.model_validate(self.as_table())

    def elsewhere(self, **told: Any) -> ModelRecord:
        """Return the record of the same model for another folder: its own keys, and the given ones.

        The protocol, the command and the files are not carried over.
        """
        table = self.as_table()
        own = {key: table[key] for key in _CARRIED if key in table}
        return ModelRecord.model_validate({**own, **told})


_CARRIED = (
    *(
        "label",
        "variant",
        "sweep",
        "tags",
        "notes",
        "seed",
        "train_hash",
        "trains",
        "training",
        "start",
        "plugins",
        "shape",
        "classes",
    ),
)
"""The keys that the record of an evaluation elsewhere takes from the run's own."""
