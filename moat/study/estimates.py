"""The cost of a study, from a few timed passes, without training."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from moat.data import Data, DataSet
from moat.errors import DataError, MoatError
from moat.evaluation.batch import BATCH
from moat.evaluation.room import room_for
from moat.evaluation.validation import validation_protocol
from moat.events import DataNote, Listener, ignore
from moat.oddities import Amounts
from moat.precision import plain_torch
from moat.recipe import RunPlan
from moat.scalarizers import GradientScalarizer
from moat.study.failures import asked_for, said_of
from moat.study.pass_times import PassTimes, time_passes
from moat.study.start_look import StartLook
from moat.study.step_cost import conflict_per_example, spent_per_example, training_cost
from moat.threats import Spent
from moat.training.length import Length

_NOT_MEASURED = Spent()


@dataclass(frozen=True)
class RunEstimate:
    """The largest cost of one run for each example, and its estimated seconds, without the gate.

    For a scalarizer that draws its searches, `search` and `descent` are expectations. Without its
    data set only passes are known: then `missing` is the error of reading it, and the other numbers
    are None; a budget of passes counts whole. Missing initial weights and an unusable start are
    also in `missing`, but every number is known.
    """

    plan: RunPlan
    search: Spent  # of a training step
    descent: Spent
    evaluation: Spent
    amounts: Amounts | None = None
    test_examples: int | None = None
    seconds: float | None = None
    memory: int | None = None  # bytes that evaluation takes at most, beside network and data set
    missing: MoatError | None = None
    length: Length | None = None  # of the training
    conflict: Spent = _NOT_MEASURED  # of a step, by `training.conflict_every`, on the mean

    @property
    def train_examples(self) -> int | None:
        """The number of its training images."""
        return self.amounts.trained if self.amounts else None

    @property
    def passes(self) -> float | None:
        """Forwards plus backwards of the whole training for each training image."""
        training = self.plan.training
        if self.plan.is_point:
            return 0.0
        epochs = self.length.exact_epochs if self.length else training.epochs
        if epochs is None:
            return training.passes
        return epochs * self.search.plus(self.descent).plus(self.conflict).total


@plain_torch()
def estimate_all(
    plans: Sequence[RunPlan],
    device: str = "auto",
    cache: Path | None = None,
    listener: Listener = ignore,
) -> list[RunEstimate]:
    """Estimate every run of a study; shared parts are read and timed once.

    `cache` is a folder for decoded images; the listener receives the data's events. An unreadable
    data set and missing initial weights are not errors here.
    """
    loaded: dict[DataSet, Data | DataError] = {}
    timed: dict[str, PassTimes] = {}
    look = StartLook()
    estimates = []
    for plan in plans:
        if plan.dataset not in loaded:
            load = partial(plan.dataset.load, cache)
            loaded[plan.dataset] = data_or_missing(load, plan.source.where("data"), listener)
        data = loaded[plan.dataset]
        if isinstance(data, DataError):
            estimates.append(_without_data(plan, data))
            continue
        # A network that one kind of scalarizer can train, another may not.
        kind = isinstance(plan.scalarizer, GradientScalarizer)
        shared = json.dumps([*(plan.trains[n] for n in ("data", "model", "training")), kind])
        if shared not in timed:
            timed[shared] = time_passes(plan, data, device)
        found = estimate(plan, data, timed[shared])
        estimates.append(replace(found, missing=look.fault(plan, data)) if plan.start else found)
    return estimates


def data_or_missing(load: Callable[[], Data], where: str, listener: Listener) -> Data | DataError:
    """Return a data set, or the error of reading it; the listener receives the data's events."""
    try:
        with said_of(where):
            data = load()
    except DataError as error:
        return error
    listener(DataNote(text=data.note))
    return data


def _without_data(plan: RunPlan, missing: DataError) -> RunEstimate:
    search, descent = spent_per_example(plan)
    return RunEstimate(plan, search, descent, plan.protocol.spent(), missing=missing)


def estimate(plan: RunPlan, data: Data, times: PassTimes) -> RunEstimate:
    """Count the passes of a run and estimate their seconds."""
    classes = len(data.classes)
    evaluation = plan.protocol.spent(classes)
    with asked_for(plan, "data"):
        split, held = plan.share.of(data.train)
    trained, held_out = len(split), len(held) if held else 0
    search, descent, length = training_cost(plan, trained, times.batch_norm, classes)
    known = Amounts(trained, held_out, len(data.test), data.shape, classes)
    tested = min(plan.protocol.examples or len(data.test), len(data.test))
    judged = tested + min(plan.protocol.examples or held_out, held_out)
    validation = validation_protocol(plan.threats).spent(classes)
    room = room_for(
        plan.protocol,
        (min(BATCH, max(tested, held_out)), *data.shape),
        times.device,
        image=times.image_bytes,
        pass_size=plan.training.pass_size,
        classes=classes,
    )
    conflict = conflict_per_example(plan, length)
    an_epoch = trained * (times.searching(search) + times.descending(descent.plus(conflict)))
    an_epoch += held_out * times.searching(validation)
    return RunEstimate(
        plan=plan,
        search=search,
        descent=descent,
        evaluation=evaluation,
        amounts=known,
        test_examples=tested,
        seconds=length.exact_epochs * an_epoch + judged * times.searching(evaluation),
        memory=room.needed(plan.protocol),
        missing=times.missing,
        length=length,
        conflict=conflict,
    )
