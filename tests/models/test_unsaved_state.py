"""What a network answers by beside its state dict is found wherever it is kept."""

import functools

import numpy as np
import pytest
import torch
from torch import nn

from moat.errors import ModelError
from moat.models.saved_state import saved_state
from moat.models.unsaved_state import digest_of_weights, plain_settings, unsaved_state

DRAWN = torch.rand(3, generator=torch.Generator().manual_seed(0))


def linear(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(2, 2)


class Kept:
    def __init__(self, value):
        self.value = value


def named(name, value):
    net = linear()
    setattr(net, name, value)
    return net


def buffered(value):
    net = linear()
    net.register_buffer("table", value, persistent=False)
    return net


def hooked(value):
    net = linear()
    net.register_forward_hook(lambda module, x, z: z + value.sum())
    return net


def closing(value):
    class Closing(nn.Linear):
        def forward(self, x):
            return super().forward(x) + value.sum()

    torch.manual_seed(0)
    return Closing(2, 2)


def in_class(value):
    torch.manual_seed(0)
    return type("Marked", (nn.Linear,), {"mark": value, "__module__": "theirs"})(2, 2)


def forgetful(value):
    class Forgetful(nn.Linear):
        def state_dict(self, *args, **keys):
            return {"weight": super().state_dict(*args, **keys)["weight"]}

    torch.manual_seed(0)
    net = Forgetful(2, 2)
    net.bias.data = value[:2]
    return net


class Naming(nn.Linear):
    def forward(self, x):
        return super().forward(x) + DRAWN.sum()


PLACES = {
    "buffer": (buffered, "table", "buffer"),
    "attribute": (lambda v: named("k", v), "k", "tensor"),
    "private": (lambda v: named("_k", v), "_k", "tensor"),
    "list": (lambda v: named("k", [1, v]), "k[1]", "tensor"),
    "dict": (lambda v: named("k", {"a": (v,)}), "k['a'][0]", "tensor"),
    "object": (lambda v: named("k", Kept([v])), "k.value[0]", "tensor"),
    "partial": (lambda v: named("k", functools.partial(torch.add, v)), "k.args[0]", "tensor"),
    "lambda": (lambda v: named("k", lambda x: x + v), "k.v", "tensor"),
    "array": (lambda v: named("k", v.numpy()), "k", "array"),
    "number": (lambda v: named("k", {"a": float(v[0])}), "k['a']", "value"),
    "module": (
        lambda v: named("k", [nn.utils.vector_to_parameters(v, (m := nn.Linear(2, 1)).parameters())
                              or m]), "k[0].weight", "module",
    ),
    "hook": (hooked, "_forward_hooks[0].value", "tensor"),
    "closure": (closing, "Closing.forward.value", "outside"),
    "class": (in_class, "Marked.mark", "outside"),
    "left out": (forgetful, "bias", "parameter"),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_it_is_found_by_its_path_and_is_a_part_of_the_digest(place):
    make, path, kind = PLACES[place]
    one, same, other = make(DRAWN), make(DRAWN.clone()), make(DRAWN + 1)
    assert one.weight.equal(other.weight)
    assert kind in {found.kind for at, found in unsaved_state(one).items() if at.startswith(path)}
    assert digest_of_weights(one) == digest_of_weights(same)
    assert digest_of_weights(one) != digest_of_weights(other)


def test_a_global_that_a_method_names_is_found():
    assert "outside" in {one.kind for one in unsaved_state(Naming(2, 2)).values()}


@pytest.mark.parametrize(
    "net",
    [
        linear(),
        nn.utils.parametrizations.weight_norm(linear()),
        nn.utils.parametrizations.spectral_norm(linear()),
        nn.LSTM(2, 2),
        nn.TransformerEncoderLayer(4, 2),
        nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1)),
        nn.DataParallel(linear()),
    ],
    ids=lambda net: type(net).__name__,
)
def test_layers_of_torch_keep_no_numbers_beside_their_state_dict(net):
    kinds = {one.kind for one in unsaved_state(net).values()}
    assert kinds <= {"value"}


def test_what_is_registered_is_no_second_time_found():
    net = linear()
    net.again, net.view, net.layers = net.weight, net.weight.t(), [net]
    assert not unsaved_state(net)


def test_conjugated_and_negated_views_have_a_digest():
    values = torch.tensor([1 + 2j, 3 - 1j])
    one, other = linear(), linear()
    for net, buffer in ((one, values.conj()), (other, values.conj().resolve_conj())):
        net.register_buffer("h", buffer)
        net.register_buffer("i", buffer.imag)
    assert digest_of_weights(one) == digest_of_weights(other)
    assert np.isfinite(int(digest_of_weights(one), 16))


def test_plain_attributes_are_settings():
    net = named("scale", 0.5)
    assert plain_settings(net)["scale"].value == 0.5
    assert "scale" not in unsaved_state(net)


class Raising(nn.Linear):
    def state_dict(self, *args, **keys):
        raise RuntimeError("no state")


class Numbered(nn.Linear):
    def state_dict(self, *args, **keys):
        return {1: self.weight}


@pytest.mark.parametrize(
    ("net", "why"),
    [(Raising(2, 2), "RuntimeError: no state"), (Numbered(2, 2), "it is a dict with keys")],
)
def test_a_state_dict_that_cannot_be_had_is_refused(net, why):
    with pytest.raises(ModelError) as refused:
        saved_state(net)
    assert refused.value.message.startswith(f"the network does not give its state dict ({why}")
    assert "state_dict" in refused.value.hint
