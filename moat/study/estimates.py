"""What a study will cost, from a few timed passes; nothing is trained."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moat.data import Data, DataSet
from moat.evaluation import Protocol
from moat.evaluation.evaluator import BATCH
from moat.evaluation.room import room_for
from moat.events import DataNote, Listener, ignore
from moat.precision import plain_torch
from moat.recipe import RunPlan
from moat.scalarizers import GradientScalarizer
from moat.study.failures import asked_for
from moat.study.pass_times import PassTimes, time_passes
from moat.study.step_cost import spent_per_example
from moat.threats import Spent


@dataclass(frozen=True)
class RunEstimate:
    """What one run costs an example at most, and its estimated seconds, without the sanity gate."""

    plan: RunPlan
    search: Spent  # of a training step
    descent: Spent
    evaluation: Spent
    train_examples: int
    test_examples: int
    seconds: float
    memory: int  # bytes that the evaluation takes at most, beside network and data set


@plain_torch()
def estimate_all(
    plans: Sequence[RunPlan],
    device: str = "auto",
    cache: Path | None = None,
    listener: Listener = ignore,
) -> list[RunEstimate]:
    """Estimate every run of a study; what runs share is read and timed once.

    `cache` is a folder in which decoded images may be kept; the listener hears of the data.
    """
    loaded: dict[DataSet, Data] = {}
    timed: dict[str, PassTimes] = {}
    estimates = []
    for plan in plans:
        if plan.dataset not in loaded:
            with asked_for(plan, "data"):
                loaded[plan.dataset] = plan.dataset.load(cache)
            listener(DataNote(text=loaded[plan.dataset].note))
        data = loaded[plan.dataset]
        # A network that one kind of scalarizer can train, another may not.
        kind = isinstance(plan.scalarizer, GradientScalarizer)
        shared = json.dumps([*(plan.trains[n] for n in ("data", "model", "training")), kind])
        if shared not in timed:
            timed[shared] = time_passes(plan, data, device)
        estimates.append(estimate(plan, data, timed[shared]))
    return estimates


def estimate(plan: RunPlan, data: Data, times: PassTimes) -> RunEstimate:
    """Count the passes of a run and say what they take."""
    classes = len(data.classes)
    search, descent = spent_per_example(plan, times.batch_norm, classes)
    evaluation = plan.protocol.spent(classes)
    with asked_for(plan, "data"):
        split, held = plan.share.of(data.train)
    trained, held_out = len(split), len(held) if held else 0
    tested = min(plan.protocol.examples or len(data.test), len(data.test))
    judged = tested + min(plan.protocol.examples or held_out, held_out)
    validation = Protocol(plan.threats).spent(classes)
    room = room_for(
        plan.protocol,
        (min(BATCH, max(tested, held_out)), *data.shape),
        times.device,
        image=times.image_bytes,
        pass_size=plan.training.pass_size,
        classes=classes,
    )
    an_epoch = trained * (times.searching(search) + times.descending(descent))
    an_epoch += held_out * times.searching(validation)
    return RunEstimate(
        plan=plan,
        search=search,
        descent=descent,
        evaluation=evaluation,
        train_examples=trained,
        test_examples=tested,
        seconds=plan.training.epochs * an_epoch + judged * times.searching(evaluation),
        memory=room.needed(plan.protocol),
    )
