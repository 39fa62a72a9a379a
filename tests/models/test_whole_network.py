"""A network comes whole from its model: lazy layers drawn, expanded values copied out."""

import torch
from torch import nn

from moat.models import Model, built, load_into


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LazyConv2d(3, 3), nn.LazyBatchNorm2d(), nn.Dropout(), nn.Flatten(), nn.LazyLinear(4)
        )
        self.layers[2].eval()
        self.register_buffer("scale", torch.ones(1).expand(4))
        self.shift = nn.Parameter(torch.zeros(1).expand(4))

    def forward(self, x):
        return self.scale * self.layers(x) + self.shift


class Made(Model):
    def build(self, shape, classes):
        return Lazy()


def make():
    return built(Made(), (2, 6, 6), 4)


def test_lazy_layers_have_their_shapes_drawn_from_the_global_generator():
    networks = []
    for seed in (0, 0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            networks.append(make())
    one, same, other = (network.layers[0].weight for network in networks)
    assert one.shape == (3, 2, 3, 3)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_call_that_draws_them_counts_nothing_and_leaves_the_flags():
    network = make()
    assert network.layers[1].num_batches_tracked == 0
    assert network.training
    assert not network.layers[2].training
    assert all(p.requires_grad and p.grad is None for p in network.parameters())


def test_weights_can_be_loaded_where_a_tensor_was_expanded():
    one, other = make(), make()
    one.scale.copy_(torch.arange(4))
    load_into(other, one.state_dict())
    assert other.scale.tolist() == [0, 1, 2, 3]
    torch.optim.SGD(other.parameters(), lr=0.1).step()
