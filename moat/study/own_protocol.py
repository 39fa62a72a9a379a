"""Finished runs evaluated again, each under its own protocol: their scores are replaced."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from moat import allocator
from moat.events import DataNote, Listener, ignore
from moat.precision import plain_torch
from moat.public import public_at_once
from moat.runs import cache_of
from moat.storage import Record
from moat.study.failures import asked_for
from moat.study.judge import Judged, judge
from moat.study.model_loading import load_recorded
from moat.study.run_list import one_by_one
from moat.study.subjects import run_subject
from moat.study.trained_run import trained_run
from moat.study.transfer import Judgement, settle
from moat.training import device_for


@public_at_once
@plain_torch()
def evaluate_run(path: Path, device: str = "auto", listener: Listener = ignore) -> Record:
    """Evaluate a finished run again by its own recipe, and replace its scores; return them."""
    run = trained_run(path)
    allocator.take(run.plan.training.allocator)
    with run.folder.locked(run.record):
        target = device_for(device)
        model = load_recorded(run.folder, run.record, target)
        with asked_for(run.plan, "data"):
            data = run.plan.dataset.load(cache_of(path, run.record.study))
        listener(DataNote(text=data.note))
        subject = run_subject(run.plan, run.folder, model, data, run.record.model)
        scores = judge(subject, data, run.plan, listener)
    judgement = Judgement(run.folder, run.plan.protocol, lambda: model, lambda: data, target)
    settle(judgement, run.folder.read_record())
    return scores


@public_at_once
def evaluate_runs(
    runs: Sequence[Path], device: str = "auto", listener: Listener = ignore
) -> Iterator[Judged]:
    """Evaluate finished runs again, each by its own recipe; a failure does not stop the others."""
    return one_by_one(runs, lambda run: Judged(run, evaluate_run(run, device, listener)), listener)
