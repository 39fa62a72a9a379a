"""What of a state dict must be finite, and what may be as it likes."""

import pytest
import torch
from torch import nn

from moat.training.finite import Finite

MASK = torch.full((4, 4), -torch.inf).triu(1)


class Net(nn.Module):
    """Holds whatever a state dict may hold."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.phase = nn.Parameter(torch.ones(2, dtype=torch.complex64))
        self.fixed = nn.Parameter(MASK.clone(), requires_grad=False)
        self.register_buffer("mask", MASK.clone())
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("hidden", torch.zeros(3), persistent=False)
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("flag", torch.tensor(True))
        self.register_buffer("sparse", torch.eye(3).to_sparse())
        self.register_buffer("rows", torch.eye(3).to_sparse_csr())
        self.register_buffer("wide", torch.zeros(1).expand(5))
        self.register_buffer("none", torch.zeros(0))
        self.register_buffer("eighth", torch.ones(3).to(torch.float8_e5m2))

    def get_extra_state(self):
        return {"seen": [1, 2]}


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize(
    ("name", "spoilt"),
    [
        ("weight", lambda v: v.fill_(torch.nan)),
        ("weight", lambda v: v[0].fill_(-torch.inf)),
        ("phase", lambda v: v.fill_(complex(0, torch.inf))),
        ("mean", lambda v: v.fill_(torch.inf)),
        ("hidden", lambda v: v.fill_(torch.nan)),
        ("sparse", lambda v: v._values().fill_(torch.nan)),
        ("eighth", lambda v: v.fill_(torch.inf)),
    ],
)
def test_what_began_finite_must_stay_so(name, spoilt):
    net = Net()
    finite = Finite(net)
    assert finite.broken() is None
    with torch.no_grad():
        spoilt(getattr(net, name))
    assert finite.broken() == name


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_masks_and_counts_may_be_as_they_like():
    net = Net()
    finite = Finite(net)
    net.mask.fill_(torch.nan)
    net.fixed.data.fill_(torch.inf)
    net.count.fill_(2**40)
    assert finite.broken() is None


def test_a_trained_parameter_that_began_otherwise_is_broken_at_once():
    net = nn.Linear(2, 2)
    net.weight.data.fill_(-torch.inf)
    assert Finite(net).broken() == "weight"


def test_a_network_without_floats_is_never_broken():
    assert Finite(nn.Flatten()).broken() is None
