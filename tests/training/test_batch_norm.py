"""Batch norm in a network as it is used: resnet18 takes whole forwards, and few of them."""

import pytest
import torch
from torch import Tensor, nn

from moat.models import ResNet18
from moat.scalarizers import MGDA, Average, LossScalarizer, Max
from moat.threats import PGD, Flow
from moat.training import SGD, StepSettings, train_step

BATCH = 4
THREATS = {
    "pgd": PGD(epsilon=0.1, step_size=0.05, steps=1),
    "flow": Flow(epsilon=0.3, step_size=0.05, steps=1),
}


class OneForFlow(LossScalarizer):
    """As under `max`, where flow has the highest loss on a single example."""

    def plan(self, names, batch, generator=None):
        return torch.arange(len(names)) > 0

    def weights(self, losses):
        weights = torch.zeros_like(losses.values)
        weights[1, 1:] = weights[2, 0] = 1.0
        return weights


@pytest.fixture
def resnet() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ResNet18().build((3, 32, 32), 10).train()


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(BATCH, 3, 32, 32, generator=generator), torch.arange(BATCH)


@pytest.mark.parametrize(
    ("scalarizer", "forwards"),
    [
        (Average(), [2 * BATCH]),
        (Average(include_natural=True), [BATCH, 2 * BATCH]),
        (MGDA(), [BATCH, 2 * BATCH]),
        (Max(), [BATCH]),
        (OneForFlow(), [BATCH]),
    ],
    ids=["average", "average with natural", "mgda", "max", "one example for flow"],
)
def test_resnet18_takes_whole_forwards_and_its_statistics_see_no_others(
    resnet, batch, counter, scalarizer, forwards
):
    counted = counter(resnet)
    optimizer = SGD(lr=0.01).build(resnet.parameters())
    train_step(resnet, optimizer, THREATS, scalarizer, *batch, StepSettings(1))
    assert [size for training, size in counted.calls if training] == forwards
    assert resnet.network.bn1.num_batches_tracked == len(forwards)
    assert all(value.isfinite().all() for value in resnet.state_dict().values())


def test_the_statistics_are_those_of_the_images_that_the_parameters_move_by(resnet, batch):
    x, y = batch
    first = {}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if layer.training:
            first["mean"] = inputs[0].detach().mean((0, 2, 3))

    resnet.network.bn1.register_forward_hook(note)
    optimizer = SGD(lr=0.01).build(resnet.parameters())
    train_step(resnet, optimizer, THREATS, OneForFlow(), x, y, StepSettings(1))
    momentum = resnet.network.bn1.momentum
    torch.testing.assert_close(resnet.network.bn1.running_mean, momentum * first["mean"])
