"""One run from its plan to its folder: train, evaluate, keep the record."""

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from torch import nn

from moat import allocator
from moat.data import Data, Split
from moat.evaluation import evaluate
from moat.evaluation.validation import validation_protocol
from moat.events import Listener, Note
from moat.models import built
from moat.models.channel_layers import channel_layers
from moat.names import NATURAL
from moat.outcomes import NATURAL_COLUMN, accuracy
from moat.passes import default_pass_size
from moat.precision import plain_torch
from moat.recipe import RunPlan
from moat.records import ModelRecord
from moat.runs import RunFolder
from moat.storage import Record
from moat.study.batch_sizes import check_batch_sizes, is_foreign
from moat.study.conditioned import (
    conditioned_network,
    keep_trained,
    plain_of_trunk,
    prefer_middle,
)
from moat.study.failures import asked_for
from moat.study.judge import judge
from moat.study.layout import best_layout
from moat.study.loading import with_weights
from moat.study.model_record import machine_of, model_record
from moat.study.network import check_network
from moat.study.own_recipe import keep_recipe
from moat.study.run_network import require_same_when_loaded, require_saved_whole
from moat.study.run_state import RunState
from moat.study.start import Begun, begin, started
from moat.study.step_cost import training_cost
from moat.study.subjects import held_out_of, run_subject
from moat.study.training_clock import TrainingClock
from moat.threats.arguments import require_channels
from moat.threats.cautions import told_elsewhere
from moat.training import Fit, Fitted, fabric_for, fit, seed_globally
from moat.training.devices import Fabric
from moat.training.measuring import has_batch_norm

UNTRAINED = Fitted(
    epoch=0,
    steps=0,
    seconds=0.0,
    images_per_second=0.0,
    scalarizer={},
    forwards=0,
    backwards=0,
    searched=0,
    passes=0.0,
)
"""The training of a run that takes its network from another."""


def run_one(
    plan: RunPlan,
    folder: RunFolder,
    data: Data,
    device: str,
    listener: Listener,
    partner: Mapping[str, Any] = MappingProxyType({}),
) -> Record:
    """Train the run if need be, evaluate it, and write the record; return the scores.

    `partner` is the record's entry for the run's partner, from the whole recipe.
    """
    allocator.take(plan.training.allocator)
    with folder.locked():
        state = RunState(plan, folder)
        state.require_same_training()
        for moved in keep_recipe(plan, folder):
            listener(Note(run=folder.path, text=f"moved out of the way of moat's own: {moved}"))
        fabric = fabric_for(device, plan.training.precision)
        record = state.record
        begun = record is not None or folder.checkpoint.exists()
        model = initial_model(plan, data, pretrained=not begun and plan.start is None)
        if record is None:
            clock = TrainingClock(listener)
            start = None if begun or plan.start is None else begin(plan, folder.path, model)
            if plan.is_point and start is not None:
                model, fitted = _take_point(plan, folder, model, start), UNTRAINED
            else:
                model, fitted = _train(plan, folder, data, model, fabric, clock, start)
            about = _record(plan, folder, data, fitted, fabric, start)
            if not begun:  # else a part was before
                folder.write_clock({"training": round(clock.seconds, 2)})
        else:
            with_weights(model, folder)
            about = record.model
        subject = run_subject(plan, folder, model.to(fabric.device), data, about.replace(**partner))
        return judge(subject, data, plan, listener)


@plain_torch()
def initial_model(plan: RunPlan, data: Data, *, pretrained: bool = True) -> nn.Module:
    """Return the network of a run with its seeded or pretrained initial weights.

    A resumed run has weights of its own, and takes the network as it was drawn. Raises MoatError
    with the recipe's key if it cannot be built, trained or evaluated.
    """
    with asked_for(plan, "augmentation", "crop_padding"):
        plan.augmentation.require_fits(data.shape[1:])
    for label, threat in {**plan.protocol.threats, **plan.threats}.items():
        with asked_for(plan, "threats", label):
            require_channels(threat, data.shape[0], label)
    seed_globally(plan.seed, 0, "initialisation")
    with asked_for(plan, "model"):
        model = built(plan.model, data.shape, len(data.classes))
        check_network(model, data, plan.scalarizer)
        if plan.conditioned is not None:
            channel_layers(model)  # refuses a network that cannot be conditioned
        if is_foreign(plan.model):  # moat's own take any
            check_batch_sizes(model, data, plan.training, len(plan.threats))
        require_saved_whole(model, plan.model, data)
    if pretrained:
        with asked_for(plan, "model", plan.model.weights_key):
            plan.model.initialise(model)
    return best_layout(plan.model, model, data.shape)


def _train(
    plan: RunPlan,
    folder: RunFolder,
    data: Data,
    model: nn.Module,
    fabric: Fabric,
    listener: Listener,
    start: Begun | None = None,
) -> tuple[nn.Module, Fitted]:
    """Train a run's network and keep its weights; return it, of a conditioned one its plain one."""
    with asked_for(plan, "data"):
        split, _ = plan.share.of(data.train)
    if plan.conditioned is not None:
        model = conditioned_network(plan, model)
    if plan.training.passes is not None:  # too few are refused by the key that says them
        training_cost(plan, len(split), has_batch_norm(model), len(data.classes))
    held_out = held_out_of(plan, data)
    job = Fit(
        model=model,
        split=split,
        size=data.shape[1:],
        augmentation=plan.augmentation,
        memory=plan.memory,
        threats=plan.threats,
        losses=plan.losses,
        scalarizer=copy.deepcopy(plan.scalarizer),
        training=plan.training,
        optimizer=plan.optimizer,
        schedule=plan.schedule,
        seed=plan.seed,
        folder=folder,
        fabric=fabric,
        validate=_Validation(plan, held_out) if held_out else None,
        train_hash=plan.train_hash,
        classes=len(data.classes),
        start=None if start is None else start.entry,
        optimizer_state=None if start is None else start.optimizer,
    )
    fitted = fit(job, listener)
    model = keep_trained(plan, folder, model)
    with asked_for(plan, "model"):
        require_same_when_loaded(model, plan.model, data)
    folder.save_model(model.state_dict(), plan.train_hash)
    return model, fitted


def _take_point(plan: RunPlan, folder: RunFolder, model: nn.Module, start: Begun) -> nn.Module:
    """Keep the weights of a run's point of the conditioned network that it starts from."""
    model = plain_of_trunk(plan, folder.path, model)
    folder.rewind_log(-1)
    folder.append_log({"step": 0, "epoch": 0, "start": start.entry})
    folder.save_model(model.state_dict(), plan.train_hash)
    return model


class _Validation:
    """Accuracy on the held-out examples, natural and against the run's own training threats.

    A conditioned network computes in the middle of its line.
    """

    def __init__(self, plan: RunPlan, held_out: Split) -> None:
        self.held_out, self.plan = held_out, plan
        self.protocol = validation_protocol(plan.threats, plan.protocol.memory)
        self.pass_size, self.memory = plan.training.pass_size, plan.memory

    @told_elsewhere()
    def __call__(self, model: nn.Module) -> dict[str, float]:
        prefer_middle(self.plan, model)
        found = evaluate(
            model, self.held_out, self.protocol, pass_size=self.pass_size, memory=self.memory
        ).outcomes
        robust = {label: accuracy(found, found.of(label)[-1]) for label in found.threats}
        return {NATURAL: accuracy(found, NATURAL_COLUMN), **robust}


def _record(
    plan: RunPlan,
    folder: RunFolder,
    data: Data,
    fitted: Fitted,
    fabric: Fabric,
    start: Begun | None = None,
) -> ModelRecord:
    """Return what run.json says of a trained run, before its evaluation."""
    names = {key: getattr(plan, key) for key in ("study", "variant", "sweep", "seed", "label")}
    size = plan.training.pass_size or default_pass_size(fabric.device)
    said = {"tags": plan.tags, "notes": plan.notes}
    names |= {key: value for key, value in said.items() if value}
    begun = {"start": start.entry if start else started(folder)} if plan.start else {}
    return model_record(
        {**names, "train_hash": plan.train_hash, "trains": plan.trains, **begun},
        data,
        plan.test_data,
        machine_of(fabric.device, size),
        training=fitted.table(),
        files=folder.trained_digests(),
    )
