"""A device without memory for a step: what fits is said."""

import jaxtyping
import pytest
import torch
from torch import nn

from moat.errors import ModelError, TrainingError
from moat.scalarizers import Average
from moat.threats import PGD
from moat.training import Step
from moat.training.guard import check_trainable
from moat.training.memory import largest_that_fits, memory_explained


class Small(nn.Module):
    """On a device that has memory for so many images a pass, and so many only."""

    def __init__(self, most, *, norm=False, error=torch.OutOfMemoryError):
        super().__init__()
        layers = [nn.Flatten(), nn.Linear(16, 8), nn.Dropout(), nn.Linear(8, 3)]
        self.layers = nn.Sequential(
            *layers[:2], *([nn.BatchNorm1d(8)] if norm else []), *layers[2:]
        )
        self.most, self.error = most, error

    def forward(self, x):
        if len(x) > self.most:
            raise self.error("DefaultCPUAllocator: can't allocate memory")
        return self.layers(x)


BATCH = torch.rand(16, 1, 4, 4), torch.arange(16) % 3


def failed(network, pass_size=128, objectives=4):
    with (
        pytest.raises(TrainingError, match="too little memory for a step: Default") as raised,
        memory_explained(network, *BATCH, pass_size, objectives, "training."),
    ):
        network(BATCH[0].repeat(objectives, 1, 1, 1)[:pass_size])
    return str(raised.value)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_the_pass_size_that_fits_is_said(error):
    assert "Set training.pass_size = 8: this many" in failed(Small(15, error=error))
    assert "Set training.pass_size = 1: " in failed(Small(1, error=error))


def test_a_pass_is_no_longer_than_what_there_is():
    assert "training.pass_size = 32" in failed(Small(63), pass_size=1 << 30)
    assert "training.pass_size = 10" in failed(Small(15), pass_size=20)


def test_of_a_network_with_batch_norm_it_is_the_batch_size():
    text = failed(Small(15, norm=True))
    assert "Set training.batch_size = 4" in text  # 3 threats of 4 images in one forward
    assert "never cut (batch norm)" in text


@pytest.mark.parametrize("network", [Small(0), Small(2, norm=True)])
def test_where_nothing_fits_it_says_so(network):
    assert "Not even the smallest pass fits" in failed(network)


def test_another_error_passes_as_it_is():
    with (
        pytest.raises(RuntimeError, match="broken"),
        memory_explained(Small(1), *BATCH, 8, 2),
    ):
        raise RuntimeError("broken")


def test_the_trial_leaves_no_trace():
    network = Small(15, norm=True)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    assert largest_that_fits(network, *BATCH, 16) == 8
    assert torch.equal(state, torch.get_rng_state())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_the_look_at_a_network_takes_fewer_images_where_few_fit(error):
    check_trainable(Small(2, norm=True, error=error), *BATCH, Average())
    check_trainable(Small(1, error=error), *BATCH, Average())
    for images, network in ((2, Small(1, norm=True)), (1, Small(0))):
        with pytest.raises(ModelError, match=rf"memory for a pass of {images} image\(s\): Default"):
            check_trainable(network, *BATCH, Average())


@pytest.mark.parametrize("kind", [lambda x: x, lambda x: x.numpy()], ids=["tensors", "arrays"])
def test_a_step_of_its_own_names_the_pass_size_and_forgets_its_gradients(kind):
    jaxtyping.config.update("jaxtyping_disable", True)  # which would refuse arrays
    network = Small(15)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    threat = PGD(epsilon=0.1, step_size=0.1, steps=1)
    step = Step(network, optimizer, threat, "average", pass_size=32)
    for take in (step, step.backward):
        with pytest.raises(TrainingError) as raised:
            take(*map(kind, BATCH))
        assert "Set pass_size = 8: this many fit." in str(raised.value)
        assert all(parameter.grad is None for parameter in network.parameters())
    fitting = Step(network, optimizer, threat, "average", pass_size=8)
    assert fitting(*BATCH).losses.values.shape == (2, 16)
