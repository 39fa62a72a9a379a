"""Networks and batches for the training step."""

import pytest
import torch
from torch import nn

from moat.threats import PGD, RT, Flow


@pytest.fixture
def threats():
    return {
        "pgd": PGD(epsilon=0.2, step_size=0.05, steps=3),
        "flow": Flow(epsilon=0.3, step_size=0.05, steps=2),
        "rt": RT(epsilon=0.3, step_size=0.05, steps=1),
    }


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(12, 1, 8, 8, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 4, (12,), generator=generator)


@pytest.fixture
def network():
    return plain_network()


@pytest.fixture
def normed_network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4)]
    return nn.Sequential(*layers).double()


def plain_network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4)]
    return nn.Sequential(*layers).double()


class PassCounter:
    """Counts examples through forwards and backwards, and which backwards reach the weights."""

    def __init__(self, model):
        self.forwards = self.backwards = self.weight_backwards = 0
        self.calls = []
        model.register_forward_hook(self._forward)
        next(model.parameters()).register_hook(self._weights)

    def _forward(self, model, inputs, output):
        self.forwards += len(output)
        self.calls.append((model.training, len(output)))
        if output.requires_grad:
            output.register_hook(self._backward)

    def _backward(self, gradient):
        self.backwards += len(gradient)

    def _weights(self, gradient):
        self.weight_backwards += 1


@pytest.fixture
def counter():
    return PassCounter
