"""Seconds and memory of a forward and a backward of a run's network, from a few passes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn

from moat import allocator
from moat.data import Data, shuffled_batches
from moat.errors import MissingWeightsError
from moat.losses import cross_entropy
from moat.passes import default_pass_size
from moat.recipe import RunPlan
from moat.study.failures import asked_for
from moat.study.one_run import initial_model
from moat.threats import LiveBytes, Spent, attacked
from moat.training import InPrecision, fabric_for
from moat.training.measuring import has_batch_norm
from moat.types import Images, Labels

REPETITIONS = 5
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class PassTimes:
    """Seconds for each example of one forward and backward, to the input and to the parameters.

    It also has the seconds of a forward alone. `batch_norm` says that adversarial images share one
    forward. `image_bytes` is the memory of a forward and backward to the input, on the `device`.
    `missing` says that the network was timed without its initial weights, which were not found.
    """

    to_input: float
    to_parameters: float
    forward: float
    batch_norm: bool
    image_bytes: int = 0
    device: torch.device = _CPU
    missing: MissingWeightsError | None = None

    def searching(self, spent: Spent) -> float:
        """Return the seconds for each example of a forward and backward to the input."""
        return self._seconds(spent, self.to_input)

    def descending(self, spent: Spent) -> float:
        """Return the seconds for each example of a forward and backward to the parameters."""
        return self._seconds(spent, self.to_parameters)

    def _seconds(self, spent: Spent, both: float) -> float:
        backward = max(0.0, both - self.forward)
        return spent.forwards * self.forward + spent.backwards * backward


def time_passes(plan: RunPlan, data: Data, device: str = "auto") -> PassTimes:
    """Time a few passes of a run's network on one batch of its data, in its precision."""
    allocator.take(plan.training.allocator)
    fabric = fabric_for(device, plan.training.precision)
    model, missing = _network_of(plan, data)
    network = InPrecision(model.to(fabric.device), fabric)
    generator = torch.Generator().manual_seed(0)
    augment = plan.augmentation.on(data.shape[1:], generator)
    batches = shuffled_batches(data.train, plan.training.batch_size, generator, augment)
    size = plan.training.pass_size or default_pass_size(fabric.device)
    x, y = (part[:size].to(fabric.device) for part in next(batches))
    with asked_for(plan, "model"):  # whatever a network raises on a whole batch
        return PassTimes(
            to_input=_timed(lambda: _to_input(network, x, y)) / len(x),
            to_parameters=_timed(lambda: _to_parameters(network, x, y)) / len(x),
            forward=_timed(lambda: _forward(network, x)) / len(x),
            image_bytes=_bytes_of(network, x[:1], y[:1]),
            device=fabric.device,
            batch_norm=has_batch_norm(network),
            missing=missing,
        )


def search_times(network: nn.Module, x: Images, y: Labels) -> PassTimes:
    """Time a few passes of a network that is not trained, on one batch on its device."""
    return PassTimes(
        to_input=_timed(lambda: _to_input(network, x, y)) / len(x),
        to_parameters=0.0,
        forward=_timed(lambda: _forward(network, x)) / len(x),
        image_bytes=_bytes_of(network, x[:1], y[:1]),
        device=x.device,
        batch_norm=False,
    )


def _network_of(plan: RunPlan, data: Data) -> tuple[nn.Module, MissingWeightsError | None]:
    """Return a run's network, as it was drawn where its initial weights are not there."""
    try:
        return initial_model(plan, data), None
    except MissingWeightsError as error:
        return initial_model(plan, data, pretrained=False), error


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
