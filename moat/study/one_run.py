"""One run from its plan to its folder: train, evaluate, keep the record."""

import copy
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from moat.data import Data, Split, hold_out
from moat.errors import RunFolderError
from moat.evaluation import Protocol, evaluate
from moat.outcomes import NATURAL_COLUMN, accuracy
from moat.passes import default_pass_size
from moat.recipe import RunPlan
from moat.runs import Record, RunFolder
from moat.study.listener import StudyListener
from moat.study.loading import finished_record, load, plan_of, with_weights
from moat.training import Fit, Fitted, fabric_for, fit, seed_globally
from moat.types import NATURAL
from moat.version import __version__


def is_done(plan: RunPlan, folder: RunFolder) -> bool:
    """Say whether the folder holds this run, trained and evaluated as planned.

    Raises RunFolderError where it holds another run; nothing is overwritten.
    """
    require_same_training(plan, folder)
    record = folder.read_record()
    return record is not None and record["protocol_hash"] == plan.protocol_hash


def require_same_training(plan: RunPlan, folder: RunFolder) -> None:
    """Raise RunFolderError that says what changed, if the folder was trained by another recipe."""
    record = folder.read_record()
    if record is not None:
        trained: Any = record["trains"]
    elif folder.recipe.exists():
        (begun,) = plan_of(folder)
        trained = begun.trains
    else:
        return
    changed = changes(trained, plan.trains)
    if not changed:
        return
    raise RunFolderError(
        "the folder holds a run that was trained otherwise: " + "; ".join(changed) + ".",
        where=str(folder.path),
        hint="Nothing was overwritten. Name another --results folder, undo the change, or train "
        "this run again with --overwrite.",
    )


def changes(before: Any, after: Any, key: str = "") -> list[str]:
    """Return "key: before → after" for every leaf in which two plain tables differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = list(dict.fromkeys([*before, *after]))
        parts = [
            changes(before.get(n), after.get(n), f"{key}.{n}" if key else str(n)) for n in names
        ]
        return [change for part in parts for change in part]
    return [] if before == after else [f"{key}: {before!r} → {after!r}"]


def run_one(
    plan: RunPlan, folder: RunFolder, data: Data, device: str, listener: StudyListener
) -> Record:
    """Train what is not trained, evaluate it, write the record; return the scores."""
    with folder.locked():
        require_same_training(plan, folder)
        folder.write_recipe(plan.document)
        fabric = fabric_for(device, plan.training.precision)
        model = initial_model(plan, data)
        record = folder.read_record()
        if record is None:
            fitted = _train(plan, folder, data, model, fabric, listener)
            record = _record(plan, data, fitted, fabric)
        else:
            with_weights(model, folder)
        return _evaluate(plan, folder, data, model.to(fabric.device), record, listener)


def evaluate_run(path: Path, device: str = "auto", listener: StudyListener | None = None) -> Record:
    """Evaluate a finished run again by its own recipe, and replace its scores; return them."""
    folder = RunFolder(path)
    record = finished_record(folder)
    (plan,) = plan_of(folder)
    with folder.locked():
        fabric = fabric_for(device, "32-true")
        model = load(path, fabric.device)
        data = plan.dataset.load()
        return _evaluate(plan, folder, data, model, record, listener or StudyListener())


def initial_model(plan: RunPlan, data: Data) -> nn.Module:
    """Return the network of a run with its seeded initial weights."""
    seed_globally(plan.seed, 0, "initialisation")
    model = plan.model.build(data.shape, len(data.classes))
    return model.to(memory_format=torch.channels_last)  # a tenth faster, equal but for rounding


def _train(
    plan: RunPlan,
    folder: RunFolder,
    data: Data,
    model: nn.Module,
    fabric: Fabric,
    listener: StudyListener,
) -> Fitted:
    split, held_out = hold_out(data.train, plan.validation, plan.split_seed)
    job = Fit(
        model=model,
        split=split,
        threats=plan.threats,
        scalarizer=copy.deepcopy(plan.scalarizer),
        training=plan.training,
        optimizer=plan.optimizer,
        schedule=plan.schedule,
        seed=plan.seed,
        folder=folder,
        fabric=fabric,
        validate=_Validation(plan, held_out) if held_out else None,
    )
    fitted = fit(job, listener)
    folder.save_model(model.state_dict())
    return fitted


class _Validation:
    """Accuracy on the held-out examples, natural and against the run's own training threats."""

    def __init__(self, plan: RunPlan, held_out: Split) -> None:
        self.held_out = held_out
        self.protocol = Protocol(plan.threats)
        self.pass_size = plan.training.pass_size

    def __call__(self, model: nn.Module) -> dict[str, float]:
        found = evaluate(model, self.held_out, self.protocol, pass_size=self.pass_size).outcomes
        robust = {label: accuracy(found, found.of(label)[-1]) for label in found.threats}
        return {NATURAL: accuracy(found, NATURAL_COLUMN), **robust}


def _evaluate(
    plan: RunPlan,
    folder: RunFolder,
    data: Data,
    model: nn.Module,
    record: Record,
    listener: StudyListener,
) -> Record:
    evaluation = evaluate(
        model, data, plan.protocol, pass_size=plan.training.pass_size, progress=listener.evaluated
    )
    scores = evaluation.scores()
    folder.save_evaluation(
        evaluation.arrays(), {"protocol_hash": plan.protocol_hash, "scores": scores}
    )
    judged = {
        "protocol_hash": plan.protocol_hash,
        "protocol": plan.evaluates,
        "scores": scores,
    }
    folder.write_record({**record, **judged})
    return scores


def _record(plan: RunPlan, data: Data, fitted: Fitted, fabric: Fabric) -> Record:
    """Return what run.json says of a trained run, before its evaluation."""
    device = fabric.device
    return {
        "moat": __version__,
        "study": plan.study,
        "variant": plan.variant,
        "sweep": plan.sweep,
        "seed": plan.seed,
        "label": plan.label,
        "train_hash": plan.train_hash,
        "trains": plan.trains,
        "data": plan.test_data,
        "shape": list(data.shape),
        "classes": len(data.classes),
        "training": asdict(fitted),
        "machine": {
            "torch": torch.__version__,
            "python": platform.python_version(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "threads": torch.get_num_threads(),
            "pass_size": plan.training.pass_size or default_pass_size(device),
            "grid": "normalised to [-1, 1], pixels as areas, zeros outside",
        },
    }
