"""What a study will cost, from a few timed passes; nothing is trained."""

import json
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from statistics import median

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from moat import allocator
from moat.data import Data, DataSet, shuffled_batches
from moat.evaluation import Protocol
from moat.evaluation.evaluator import BATCH
from moat.evaluation.room import room_for
from moat.evaluation.sanity.examine import PROBED
from moat.events import DataNote, Listener, ignore
from moat.losses import cross_entropy
from moat.names import NATURAL
from moat.objectives import LossMatrix
from moat.passes import default_pass_size
from moat.precision import plain_torch
from moat.recipe import RunPlan
from moat.scalarizers import GradientScalarizer, LossScalarizer, Scalarizer
from moat.study.failures import asked_for
from moat.study.one_run import initial_model
from moat.threats import GradientThreat, LiveBytes, Spent, attacked, spent_by
from moat.training import InPrecision, fabric_for
from moat.types import Images, Labels

REPETITIONS = 5
DESCENT = 1.3  # times a search's pass: its backward goes to the parameters as well (1.1 to 1.6)
CPU = torch.device("cpu")
_PROBES = 40  # passes of the sanity gate, a threat: draws, wider bounds, another model's images


@dataclass(frozen=True)
class Work:
    """What each part of a run takes at most: passes times examples (see `Spent.passes`).

    `training` is what its own clock counts, a pass of the descent as 1.3 of a search; `validation`
    is that of all epochs, and `evaluation` includes the held-out examples.
    """

    training: float
    validation: float
    evaluation: float
    gate: float
    parts: int  # files in which the evaluation keeps what it has found


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


@dataclass(frozen=True)
class PassTimes:
    """Seconds an example for one forward and backward, to the input and to the parameters.

    And for one forward alone. `batch_norm` says that adversarial images share one forward.
    `image_bytes` is what a forward and backward to the input take of memory, on the `device`.
    """

    to_input: float
    to_parameters: float
    forward: float
    batch_norm: bool
    image_bytes: int = 0
    device: torch.device = CPU

    def searching(self, spent: Spent) -> float:
        """Return the seconds that an example takes which is differentiated to the input."""
        return self._seconds(spent, self.to_input)

    def descending(self, spent: Spent) -> float:
        """Return the seconds that an example takes which is differentiated to the parameters."""
        return self._seconds(spent, self.to_parameters)

    def _seconds(self, spent: Spent, both: float) -> float:
        backward = max(0.0, both - self.forward)
        return spent.forwards * self.forward + spent.backwards * backward


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


def time_passes(plan: RunPlan, data: Data, device: str = "auto") -> PassTimes:
    """Time a few passes of a run's network on one batch of its data, in its precision."""
    allocator.take(plan.training.allocator)
    fabric = fabric_for(device, plan.training.precision)
    network = InPrecision(initial_model(plan, data).to(fabric.device), fabric)
    generator = torch.Generator().manual_seed(0)
    augment = plan.augmentation.on(data.shape[1:], generator)
    batches = shuffled_batches(data.train, plan.training.batch_size, generator, augment)
    size = plan.training.pass_size or default_pass_size(fabric.device)
    x, y = (part[:size].to(fabric.device) for part in next(batches))
    return PassTimes(
        to_input=_timed(lambda: _to_input(network, x, y)) / len(x),
        to_parameters=_timed(lambda: _to_parameters(network, x, y)) / len(x),
        forward=_timed(lambda: _forward(network, x)) / len(x),
        image_bytes=_bytes_of(network, x[:1], y[:1]),
        device=fabric.device,
        batch_norm=has_batch_norm(network),
    )


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


def work_of(plan: RunPlan, data: Data, batch_norm: bool = False) -> Work:
    """Count the passes of all parts of a run on its data, of a network with batch norm or not."""
    with asked_for(plan, "data"):
        split, held = plan.share.of(data.train)
    held_out, protocol, classes = len(held) if held else 0, plan.protocol, len(data.classes)
    judged = [min(protocol.examples or count, count) for count in (len(data.test), held_out)]
    search, descent = spent_per_example(plan, batch_norm, classes)
    validation = Protocol(plan.threats).spent(classes)
    an_example = search.passes + DESCENT * descent.passes
    probed = sum(isinstance(threat, GradientThreat) for threat in protocol.threats.values())
    return Work(
        training=plan.training.epochs * len(split) * an_example,
        validation=plan.training.epochs * held_out * validation.passes,
        evaluation=sum(judged) * protocol.spent(classes).passes,
        gate=float(min(PROBED, len(data.test)) * _PROBES * probed),
        parts=sum(-(-count // BATCH) for count in judged) * (1 + len(protocol.threats)),
    )


def passes_per_example(plan: RunPlan) -> tuple[int, int]:
    """Return (search, descent): forwards and backwards that a training step costs an example.

    Forwards without a backward are not counted.
    """
    search, descent = spent_per_example(plan)
    return search.backwards, descent.backwards


def spent_per_example(
    plan: RunPlan, batch_norm: bool = False, classes: int = 10
) -> tuple[Spent, Spent]:
    """Return (search, descent): what a training step costs an example.

    Of a scalarizer that plans an example at a time, the most it can plan.
    """
    names = (NATURAL, *plan.threats)
    scalarizer = deepcopy(plan.scalarizer)  # what it draws here is not missing in training
    mask = scalarizer.plan(names, 2, torch.Generator().manual_seed(0))
    planned = [bool(entry.any()) for entry in mask]
    searched = zip(plan.threats.values(), planned[1:], strict=True)
    found = [spent_by(threat, classes=classes) for threat, taken in searched if taken]
    search = reduce(Spent.plus, found, Spent())
    return search, _descent(scalarizer, names, planned, batch_norm)


def _descent(
    scalarizer: Scalarizer, names: tuple[str, ...], planned: list[bool], batch_norm: bool
) -> Spent:
    """Return what one of the three ways to descend costs an example."""
    count, threats = sum(planned), sum(planned[1:])
    if isinstance(scalarizer, LossScalarizer):
        measured = torch.tensor(planned)
        values = torch.where(measured, torch.arange(1.0, len(names) + 1), torch.nan)[:, None]
        weights = scalarizer.weights(LossMatrix(values, names, measured=measured))
        chosen = int((weights.reshape(len(names), -1) != 0).sum(0).amax())
        return Spent(count + chosen, chosen)
    if isinstance(scalarizer, GradientScalarizer) and batch_norm:
        return Spent(count, int(planned[0]) + threats**2)  # each goes back through all of them
    return Spent(count, count)


def has_batch_norm(network: nn.Module) -> bool:
    """Say whether a network normalises a batch by its own mean and variance."""
    return any(isinstance(module, _BatchNorm) for module in network.modules())


def _to_input(network: nn.Module, x: Images, y: Labels) -> None:
    with attacked(network):
        x = x.detach().requires_grad_()
        torch.autograd.grad(cross_entropy(network(x), y).sum(), x)


def _bytes_of(network: nn.Module, x: Images, y: Labels) -> int:
    with LiveBytes() as counted:
        _to_input(network, x, y)
    return int(counted.most)


def _forward(network: nn.Module, x: Images) -> None:
    with attacked(network), torch.no_grad():
        network(x)


def _to_parameters(network: nn.Module, x: Images, y: Labels) -> None:
    network.train()
    cross_entropy(network(x), y).mean().backward()
    network.zero_grad()


def _timed(run: Callable[[], None]) -> float:
    """Return the median seconds of a few calls, the first left out."""
    run()
    times = []
    for _ in range(REPETITIONS):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        started = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return median(times)
