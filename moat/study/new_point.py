"""Another point of a conditioned network that is trained: a run of its own, beside the others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from moat.consent import stored_in
from moat.errors import InputError
from moat.events import DataNote, Listener, ignore
from moat.names import NATURAL
from moat.public import public_at_once
from moat.recipe import RunPlan, plan_runs
from moat.runs import RunFolder, cache_of
from moat.scalarizers.random_preference import preference_at
from moat.study.failures import asked_for
from moat.study.judge import Judged, whole_scores
from moat.study.one_run import run_one
from moat.study.recorded_preference import At, one_place, require_conditioned, trunk_of
from moat.study.run_list import one_by_one
from moat.study.run_state import RunState
from moat.study.trained_run import TrainedRun, trained_run


@public_at_once
def evaluate_points(
    runs: Sequence[Path],
    *,
    at: float | None = None,
    preference: Mapping[str, float] | None = None,
    device: str = "auto",
    listener: Listener = ignore,
) -> Iterator[Judged]:
    """Evaluate the conditioned networks of finished runs at a point or a preference.

    Each network gets a run folder for it beside those of its other points, as if the recipe named
    the point; an existing one is kept. Nothing is trained. A run that fails, such as one without a
    conditioned network, leaves the others. Raises InputError unless one of both is given.
    """
    place = one_place(at, preference)
    if place is None:
        raise InputError("neither at nor preference is given.", hint="Pass at=0.5, for example.")

    def judged(path: Path) -> Judged:
        run = trained_run(path)
        require_conditioned(run.record, run.folder)
        return _judged(run, place, device, listener)

    return _each_once(one_by_one(runs, judged, listener))


def _each_once(found: Iterable[Judged]) -> Iterator[Judged]:
    """Yield what was evaluated: all points of a network lead to one folder."""
    done: set[Path] = set()
    for one in found:
        if one.error or one.folder not in done:
            yield one
        done.add(one.folder)


def _judged(run: TrainedRun, at: At, device: str, listener: Listener) -> Judged:
    preference_at(at, run.plan.scalarizer, (NATURAL, *run.plan.threats))  # before it is a recipe's
    plan = _plan_at(run, at)
    folder = RunFolder(run.folder.path.parents[1].joinpath(*plan.path.parts[-2:]))
    state = RunState(plan, folder)
    if state.left == "nothing" and state.record is not None:
        return Judged(folder.path, whole_scores(folder, state.record), before=True)
    with asked_for(plan, "data"):
        data = plan.dataset.load(cache_of(run.folder.path, run.record.study))
    listener(DataNote(text=data.note))
    partner = {key: v for key, v in run.record.as_table().items() if key == "partner"}
    scores = run_one(plan, folder, data, device, listener, partner)
    return Judged(folder.path, scores, study=run.folder.path.parents[2])


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
