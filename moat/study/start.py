"""The start of a run: the weights of the run before it, or of a file, and the optimizer's state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from moat.digests import digest_of_file
from moat.errors import (
    BundleError,
    BusyError,
    ForeignFileError,
    ModelError,
    RunFolderError,
    StartError,
)
from moat.models import load_into
from moat.models.saved_state import saved_state
from moat.models.weights import read_weights, wrapping
from moat.names import names_file
from moat.recipe import RunPlan
from moat.recipe.start import Start
from moat.records import RunRecord
from moat.runs import (
    RunFolder,
    as_typed,
    find_runs,
    opened_weights,
    require_results,
    weights_file,
)

_WITHOUT_WEIGHTS = (".toml", ".json", ".jsonl", ".npz")
NOT_STARTED = "not started, because"
_OF_ALL_PREFERENCES = (
    "The file is a network for all preferences. Name the folder of a run beside it: each has the "
    "plain network of its point."
)


@dataclass(frozen=True)
class Begun:
    """The start of a training: its entry in log and record, and the optimizer's state, if kept."""

    entry: dict[str, Any]
    optimizer: Mapping[str, Any] | None = None


def start_place(plan: RunPlan, run: Path) -> Path:
    """Return the folder or file that the run in a folder starts from."""
    assert plan.start is not None
    results = run.parents[len(plan.path.parts) - 1]
    return results / plan.start.place


def require_start(plan: RunPlan, run: Path, before: Iterable[RunFolder]) -> None:
    """Raise StartError unless the run of the study that a run starts from is trained.

    `before` are the folders of all runs on whose training it depends, the nearest first. Raises
    BusyError if another process holds one of them that is not trained.
    """
    if plan.start is None or plan.start.training is None:
        return
    nearest = RunFolder(start_place(plan, run))
    if nearest.is_trained:
        _require_same(nearest, plan.start.training)
        return
    for folder in before:
        if folder.is_trained:
            break
        if folder.is_held:
            raise BusyError(
                f"another process trains a run that it starts from: {folder.path}.",
                where=str(run),
                hint="Wait for it, then run the same command again.",
            )
        if failure := folder.read_failure():
            raise StartError(_of_failure(folder, failure["message"]), where=str(run))
    raise StartError(
        f"{NOT_STARTED} the run that it starts from is not trained: {nearest.path}.",
        where=str(run),
        hint="`moat train` with the study's recipe trains it first.",
    )


def _of_failure(folder: RunFolder, message: str) -> str:
    if message.startswith(NOT_STARTED):  # by a run before it, whose failure it names
        return message
    return f"{NOT_STARTED} a run that it starts from failed: {folder.path}: {message}"


def _require_same(before: RunFolder, training: str) -> None:
    try:
        before.require_weights_of(training)
    except ForeignFileError as error:
        raise StartError(
            f"{NOT_STARTED} the run that it starts from has other training settings: "
            f"{before.path}.",
            where=str(before.path),
            hint="Train that run again with --overwrite, or undo the change.",
        ) from error


def require_same_start(plan: RunPlan, run: Path, record: RunRecord) -> None:
    """Raise RunFolderError if the run that a finished run started from has been trained again.

    Weights of the same digest are the same start, and missing ones are not looked for.
    """
    if plan.start is None or plan.start.training is None or record.start is None:
        return
    file = weights_file(start_place(plan, run))
    if file.is_file() and (found := digest_of_file(file)) != record.start.weights:
        raise RunFolderError(
            f"the run that it started from has other weights now: digest {record.start.weights} "
            f"then, {found} now.",
            where=str(run),
            hint="Nothing was overwritten. Train this run again with --overwrite, or put back the "
            f"weights in {file.parent}.",
        )


def begin(plan: RunPlan, run: Path, network: nn.Module) -> Begun:
    """Load the weights of a run's start into its network; return what log and record say of it.

    Raises StartError if they are missing, changed or not finite, or do not fit the network.
    """
    assert plan.start is not None
    start, place = plan.start, _opened(start_place(plan, run))
    with_weights_of(start, place, network)
    entry = {"place": str(start.place), "weights": digest_of_file(weights_file(place))}
    if start.training is not None:
        entry = {**entry, "place": start.place.as_posix(), "training": start.training}
    optimizer = _optimizer_state(place) if start.optimizer == "kept" else None
    return Begun({**entry, **_passes_of(place)}, optimizer)


def _opened(place: Path) -> Path:
    try:
        return opened_weights(place)
    except BundleError as error:
        raise StartError(error.message, error.where, error.hint) from error


def started(folder: RunFolder) -> dict[str, Any]:
    """Return a trained run's entry for its start, from its checkpoint."""
    state = folder.load_checkpoint() or {}
    entry: dict[str, Any] = state["progress"]["start"]
    return entry


def with_weights_of(start: Start, place: Path, network: nn.Module) -> None:
    """Load the weights at a place into a network; prefixes of wrappers are ignored."""
    state = _weights(start, place)
    prefix, own = wrapping(saved_state(network)), wrapping(state)
    try:
        load_into(network, {prefix + name.removeprefix(own): v for name, v in state.items()})
    except ModelError as error:
        raise StartError(
            f"the weights of the start do not fit the network: {error.message}.",
            where=as_typed(str(place)),
            hint=_OF_ALL_PREFERENCES
            if place.name == "conditioned.safetensors"
            else "Start from a run of the same network, or set [model] to that run's.",
        ) from error
    held = saved_state(network).items()
    if broken := [n for n, v in held if isinstance(v, Tensor) and not bool(v.isfinite().all())]:
        raise StartError(
            f"the weights of the start are not finite: {broken[0]}.",
            where=as_typed(str(place)),
            hint="Start from a run or a file from before its training diverged.",
        )


def _weights(start: Start, place: Path) -> Mapping[str, Any]:
    file = weights_file(place)
    is_missing = not place.exists() and not names_file(place.name)
    if is_missing or place.suffix.lower() in _WITHOUT_WEIGHTS:
        require_results(place, StartError, "A start is a run's own folder or a file of weights.")
    if start.digest and file.is_file() and (found := digest_of_file(file)) != start.digest:
        raise StartError(
            f"the weights of the start have changed: digest {start.digest} then, {found} now.",
            where=str(file),
            hint="Put the file back, or train this run again with --overwrite.",
        )
    if not place.is_dir():
        return read_weights(file)
    state = RunFolder(place).load_model(start.training)
    if state is None:
        below = [as_typed(str(run.path)) for run in find_runs(place)]
        near = f" Did you mean {below[0]!r}?" if below else ""
        raise StartError(
            f"the folder of the start has no trained weights.{near}",
            where=as_typed(str(place)),
            hint="Name the folder of a finished run, results/<study>/<variant>/.../seed-<n>.",
        )
    return state


def _optimizer_state(place: Path) -> Mapping[str, Any]:
    if not place.is_dir():
        raise StartError(
            "the optimizer's state cannot be kept: a file of weights has none.",
            where=str(place),
            hint='Name the folder of its run, which has a checkpoint, or set optimizer = "fresh".',
        )
    state = RunFolder(place).load_checkpoint()
    if state is None or not isinstance(state.get("optimizer"), dict):
        raise StartError(
            "the optimizer's state cannot be kept: no checkpoint lies beside the weights of the "
            "start.",
            where=as_typed(str(place)),
            hint='Set optimizer = "fresh", or put back checkpoint.pt of that run. A '
            "bundle has none.",
        )
    kept: Mapping[str, Any] = state["optimizer"]
    return kept


def passes_before(place: Path) -> float:
    """Return the passes of all trainings up to the weights at a place; 0 if they are not known."""
    return _passes_of(place).get("passes", 0.0)


def _passes_of(place: Path) -> dict[str, float]:
    record = _record(place)
    known = None if record is None else record.passes_to_here
    return {} if known is None else {"passes": known}


def _record(place: Path) -> RunRecord | None:
    try:
        return RunFolder(place).read_record() if place.is_dir() else None
    except RunFolderError:  # whoever reads that run says why
        return None
