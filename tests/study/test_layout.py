"""A network lies in memory as it works: channels last where it bears that."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from moat.models import PreActResNet18, PythonModel, SmallCNN, TinyCNN, torchvision_model
from moat.study.layout import best_layout, laid_out

SHAPE = (3, 12, 12)
FOREIGN = PythonModel("torch.nn:Module")


class Backward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.view(len(gradient), -1).view(gradient.shape)


class Net(nn.Module):
    def __init__(self, flatten, conv=None):
        super().__init__()
        self.conv = conv or nn.Conv2d(3, 4, 3)
        self.flatten, self.last = flatten, nn.LazyLinear(5)
        with torch.no_grad():
            self(torch.zeros(2, *SHAPE))

    def forward(self, x):
        return self.last(self.flatten(self, self.conv(x)))


def lies_last(network):
    weights = [p for p in network.parameters() if p.ndim == 4]
    return all(p.is_contiguous(memory_format=torch.channels_last) for p in weights)


def flat(_, x):
    return x.flatten(1)


BEARS = {"flatten": flat, "reshape": lambda _, x: x.reshape(len(x), -1)}
FAILS = {
    "view": lambda _, x: x.view(len(x), -1),
    "view in train mode": lambda net, x: x.view(len(x), -1) if net.training else x.flatten(1),
    "view in eval mode": lambda net, x: x.flatten(1) if net.training else x.view(len(x), -1),
    "view in the backward": lambda _, x: F.max_pool2d(Backward.apply(x), 1).flatten(1),
    "strides": lambda _, x: torch.as_strided(x, (len(x), 400), (400, 1)),
}


@pytest.mark.parametrize("name", BEARS)
def test_a_network_that_bears_it_has_its_channels_last(name):
    assert lies_last(best_layout(FOREIGN, Net(BEARS[name]), SHAPE))


@pytest.mark.parametrize("name", FAILS)
def test_a_network_that_does_not_stays_as_it_was_built(name):
    network = best_layout(FOREIGN, Net(FAILS[name]), SHAPE)
    assert not lies_last(network)
    for mode in (True, False):
        network.train(mode)(torch.rand(3, *SHAPE)).sum().backward()


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Conv3d(1, 4, 3), nn.Flatten(), nn.Linear(400, 5)),
        nn.Sequential(nn.Flatten(), nn.Linear(432, 5)),
        nn.Sequential(nn.Flatten(2), nn.Conv1d(3, 4, 3), nn.Flatten(), nn.Linear(568, 5)),
    ],
    ids=["volumes", "no convolution", "sequences"],
)
def test_what_has_no_convolution_of_images_is_trained_as_it_is(network):
    network = best_layout(FOREIGN, network, SHAPE)
    network(torch.rand(2, *SHAPE)).sum().backward()


def test_volumes_beside_images_are_tried_and_stay():
    net = Net(flat)
    net.volume = nn.Conv3d(1, 1, 3)
    assert not lies_last(best_layout(FOREIGN, net, SHAPE))


@pytest.mark.parametrize("made", [TinyCNN(), SmallCNN()], ids=lambda made: made.name)
def test_moats_own_networks_are_laid_out_untried(made):
    shape = (3, 16, 16)
    network = made.build(shape, 5)
    called = []
    network.register_forward_hook(lambda *_: called.append(1))
    assert lies_last(best_layout(made, network, shape))
    assert not called


def test_a_network_with_group_norm_stays_since_it_is_slower_with_its_channels_last():
    made = PreActResNet18(width=4, groups=2)
    assert not lies_last(best_layout(made, made.build((3, 16, 16), 5), (3, 16, 16)))


def test_torchvisions_other_networks_are_tried():
    made = torchvision_model("torchvision:shufflenet_v2_x0_5")()
    assert not made.bears_channels_last
    assert lies_last(best_layout(made, made.build((3, 32, 32), 5), (3, 32, 32)))


def test_the_trial_leaves_no_trace():
    network = Net(flat, nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()))
    network.conv[1].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    flags = [module.training for module in network.modules()]
    state = torch.get_rng_state()
    best_layout(FOREIGN, network, SHAPE)
    assert torch.equal(state, torch.get_rng_state())
    assert flags == [module.training for module in network.modules()]
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_network_that_cannot_be_copied_stays():
    network = Net(flat)
    network.state = torch.rand(2, requires_grad=True) * 2
    assert not lies_last(best_layout(FOREIGN, network, SHAPE))
    assert lies_last(laid_out(network))
