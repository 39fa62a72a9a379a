"""Whatever stands in a state dict comes back from the file as it was."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from moat.errors import ModelError
from moat.models import load_into
from moat.models.weights import digest_of_state
from moat.runs import RunFolder
from moat.runs.weights import from_bytes, require_kept, to_bytes

STATES = {
    "float": torch.rand(3, 2),
    "half": torch.rand(3).half(),
    "channels last": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last),
    "expanded": torch.rand(1).expand(5),
    "strided": torch.rand(6)[::2],
    "scalar": torch.tensor(3),
    "empty": torch.zeros(0, 3),
    "bool": torch.tensor([True, False]),
    "integers": torch.arange(4, dtype=torch.int32),
    "mask": torch.full((3, 3), -torch.inf).triu(1),
    "complex": torch.randn(2, dtype=torch.complex64),
    "complex128": torch.randn(2, dtype=torch.complex128),
    "sparse": torch.eye(3).to_sparse(),
    "table": {"seen": [1, 2.5, "three", None, True], "tensor": torch.ones(2)},
    "bytes": b"\x00\x01",
    "none": None,
}


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one.to_dense(), other.to_dense()) and one.dtype == other.dtype
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return one == other


@pytest.mark.parametrize("name", STATES)
def test_it_comes_back_as_it_was(name, tmp_path):
    state = OrderedDict({"a.weight": torch.ones(2), f"b.{name}": STATES[name]})
    require_kept(state)
    folder = RunFolder(tmp_path)
    folder.save_model(state)
    found = folder.load_model()
    assert set(found) == set(state)
    assert all(same(state[key], found[key]) for key in state)
    assert to_bytes(state) == to_bytes(found)
    assert digest_of_state(state) == digest_of_state(found)


def test_a_digest_tells_apart_what_is_no_dense_tensor():
    digests = {digest_of_state({"a": value}) for value in STATES.values()}
    assert len(digests) == len(STATES)
    one, other = ({"a": {"b": torch.ones(2), "c": c}} for c in (1, 2))
    assert digest_of_state(one) != digest_of_state(other)


class Foreign:
    """Of a class that reading would have to import."""


def test_what_only_code_could_bring_back_is_refused_by_name():
    with pytest.raises(ModelError) as refused:
        require_kept({"weight": torch.ones(1), "scale._extra_state": Foreign()})
    assert refused.value.message == (
        "scale._extra_state is of type Foreign, which a checkpoint cannot store as plain data."
    )
    assert "get_extra_state" in refused.value.hint


class Odd(nn.Module):
    def __init__(self, seen=0):
        super().__init__()
        self.weight, self.seen = nn.Parameter(torch.rand(3)), [seen]
        self.register_buffer("mask", torch.full((3,), -torch.inf))
        self.register_buffer("sparse", torch.rand(3, 3).to_sparse())

    def get_extra_state(self):
        return {"seen": self.seen}

    def set_extra_state(self, state):
        self.seen = state["seen"]


def test_a_network_takes_it_back():
    one, other = Odd(seen=7), Odd()
    load_into(other, from_bytes(to_bytes(one.state_dict())))
    assert other.seen == [7]
    assert torch.equal(one.weight, other.weight)
    assert torch.equal(one.sparse.to_dense(), other.sparse.to_dense())
