"""Another point of a conditioned network that is trained: a run of its own, beside the others."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from moat.consent import stored_in
from moat.errors import InputError, RunFolderError
from moat.events import DataNote, Listener, ignore
from moat.names import NATURAL
from moat.public import public_at_once
from moat.recipe import RunPlan, plan_runs
from moat.recipe.conditioned import in_objective_order
from moat.runs import RunFolder, as_typed, cache_of
from moat.study.failures import asked_for
from moat.study.judge import Judged, whole_scores
from moat.study.network_points import known_point, network_run, one_for_each_network
from moat.study.one_run import run_one
from moat.study.overwriting import clear, make_way
from moat.study.recorded_preference import At, one_place, trunk_of
from moat.study.run_list import one_by_one
from moat.study.run_state import RunState
from moat.study.trained_run import TrainedRun


@public_at_once
def evaluate_points(
    runs: Sequence[Path],
    *,
    at: float | None = None,
    preference: Mapping[str, float] | None = None,
    device: str = "auto",
    overwrite: bool = False,
    listener: Listener = ignore,
) -> Iterator[Judged]:
    """Evaluate the conditioned networks of finished runs at a point or a preference.

    Each network gets a run folder for it beside those of its other points, as if the recipe named
    the point. An existing one with the same weights is kept, and made anew with `overwrite`.
    Nothing is trained. A run that fails, such as one without a conditioned network, leaves the
    others. Raises InputError unless one of both is given.
    """
    place = one_place(at, preference)
    if place is None:
        raise InputError("neither at nor preference is given.", hint="Pass at=0.5, for example.")

    def judged(path: Path) -> Judged:
        return _judged(network_run(path), place, device, listener, overwrite)

    return one_by_one(one_for_each_network(runs), judged, listener)


def _judged(run: TrainedRun, at: At, device: str, listener: Listener, overwrite: bool) -> Judged:
    folder, plan = _folder_and_plan(run, at)  # the point is valid before it is a recipe's
    if overwrite:
        _require_no_training(run, folder)
    else:
        state = RunState(plan, folder)
        with _said_with_mend(folder, at):
            left = state.left
        if left == "nothing" and state.record is not None:
            return Judged(folder.path, whole_scores(folder, state.record), before=True)
    with asked_for(plan, "data"):
        data = plan.dataset.load(cache_of(run.folder.path, run.record.study))
    listener(DataNote(text=data.note))
    if overwrite and folder.path.is_dir():
        make_way(folder, listener)
        with folder.locked():
            clear(folder, listener)
    partner = {key: v for key, v in run.record.as_table().items() if key == "partner"}
    scores = run_one(plan, folder, data, device, listener, partner)
    return Judged(folder.path, scores, study=run.folder.path.parents[2])


def _folder_and_plan(run: TrainedRun, at: At) -> tuple[RunFolder, RunPlan]:
    """Return the folder and the plan of a point: of the one with the same weights, if there is."""
    known = known_point(run, at)
    if known is None:
        plan = _plan_at(run, in_objective_order(at, (NATURAL, *run.plan.threats)))
        return RunFolder(run.folder.path.parents[1].joinpath(*plan.path.parts[-2:])), plan
    folder, at = known
    return folder, run.plan if folder.path == run.folder.path else _plan_at(run, at)


def _require_no_training(run: TrainedRun, folder: RunFolder) -> None:
    if folder.path == run.folder.path:
        raise InputError(
            "the run of this point trained the network, so --overwrite would delete it.",
            where=str(folder.path),
            hint="`moat evaluate` with its folder alone evaluates it again; `moat train "
            "--overwrite` trains it again.",
        )


@contextmanager
def _said_with_mend(folder: RunFolder, at: At) -> Iterator[None]:
    """Name the command that makes a point anew in a refusal of its folder."""
    try:
        yield
    except RunFolderError as error:
        again = ["moat", "evaluate", as_typed(str(folder.path)), *_option(at), "--overwrite"]
        mend = f"Nothing was overwritten. `{shlex.join(again)}` makes the point anew."
        raise RunFolderError(error.message, error.where, mend) from error


def _option(at: At) -> list[str]:
    if not isinstance(at, Mapping):
        return ["--at", str(at)]
    return ["--preference", ",".join(f"{name}={weight}" for name, weight in at.items())]


def _plan_at(run: TrainedRun, at: At) -> RunPlan:
    """Return the plan of the point, which starts from the run that trained the network."""
    document = deepcopy(run.plan.document)
    (variant,) = document["variant"]
    variant["conditioned"] = {
        **variant["conditioned"],
        "at": [dict(at) if isinstance(at, Mapping) else at],
    }
    place, training = trunk_of(run.record, run.folder)
    beside = {"weights": str(place.resolve()), "training": training, "optimizer": "fresh"}
    variant["start"] = beside
    with stored_in(run.folder.path):
        source = replace(run.plan.source, document=document, study=run.record.study)
        (plan,) = plan_runs(source)
    return plan
