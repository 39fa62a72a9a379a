"""A network conditioned on a preference: it starts as its network, and each preference has one."""

import copy
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call

from moat.errors import InputError, ModelError
from moat.models import FiLM, TinyCNN, registry
from moat.threats import PGD

NAMES = ("natural", "pgd", "rt")


class Twice(nn.Module):
    """One convolution under two names, called twice; its weight is read by hand once."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 1, 3, padding=1)
        self.second = self.first
        self.last = nn.Linear(64, 10)

    def forward(self, x):
        x = self.second(self.first(x).relu())
        x = nn.functional.conv2d(x, self.first.weight, self.first.bias, padding=1)
        return self.last(x.flatten(1))


class Norms(nn.Module):
    """Norm layers of several kinds, one without weights and one whose channels come last."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.InstanceNorm2d(4),
            nn.GroupNorm(2, 4),
            nn.LayerNorm([4, 8, 8]),
        )
        self.last = nn.Sequential(nn.LayerNorm(8), nn.RMSNorm(8), nn.Flatten(), nn.Linear(256, 10))

    def forward(self, x):
        return self.last(self.layers(x))


OWN = {
    "tiny": lambda: TinyCNN(width=4).build((1, 8, 8), classes=10),
    "norms": Norms,
    "twice": Twice,
    "no bias": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 3, bias=False), nn.Flatten(), nn.Linear(72, 10)
    ),
    "transposed": lambda: nn.Sequential(
        nn.ConvTranspose2d(1, 3, 3), nn.Flatten(), nn.Linear(300, 10)
    ),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 5), nn.ReLU(), nn.Linear(5, 10)),
    "one layer": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)),
}
SMALL = {"preact-resnet18": {"width": 8, "groups": 4, "mean": (0.5,), "std": (0.5,)}}
MOATS = {
    model.name: lambda m=model: m(**SMALL.get(m.name, {})).build((1, 28, 28), classes=10)
    for model in registry
}
WEIGHTLESS = [
    (nn.BatchNorm2d(4, affine=False), "'1' .BatchNorm2d.*before them.\n.*affine=True"),
    (nn.InstanceNorm2d(4), "norm layers have no weights of their own, as '1' .InstanceNorm2d"),
    (nn.GroupNorm(4, 4, affine=False), "'1' .GroupNorm.*\n.*with affine=True"),
    (nn.LayerNorm(6, elementwise_affine=False), "LayerNorm.*\n.*elementwise_affine=True"),
]
NETWORKS = OWN | MOATS


def images(name):
    side = 28 if name in MOATS else 8
    return torch.rand(4, 1, side, side, generator=torch.Generator().manual_seed(0))


def scripted(network):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        return torch.jit.script(network)


def awake(network):
    """Return a conditioned network whose encoder answers, as after training."""
    with torch.no_grad():
        for parameter in network.encoder[-1].parameters():
            parameter.normal_(0, 0.2, generator=torch.Generator().manual_seed(1))
        for buffer_or_weight in network.network.parameters():  # a last layer may start at zero
            if not buffer_or_weight.any():
                buffer_or_weight.normal_(0, 0.2, generator=torch.Generator().manual_seed(2))
    return network


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("train", [False, True])
def test_a_new_one_equals_its_network_to_the_bit(name, train):
    torch.manual_seed(0)
    network = NETWORKS[name]()
    conditioned = FiLM(copy.deepcopy(network), NAMES).train(train)
    conditioned.prefer({"natural": 0.2, "rt": 0.8})
    torch.manual_seed(1)
    expected = network.train(train)(images(name))
    torch.manual_seed(1)  # dropout
    assert torch.equal(conditioned(images(name)), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_plain_network_of_a_preference_equals_it_to_the_bit_and_has_its_own_kind(name):
    torch.manual_seed(0)
    conditioned = awake(FiLM(NETWORKS[name](), NAMES)).eval()
    x, answers = images(name), []
    for preference in ({"natural": 1.0}, {"pgd": 0.5, "rt": 0.5}):
        before = conditioned.preference.clone()
        plain = conditioned.plain(preference)
        assert torch.equal(conditioned.preference, before)
        assert type(plain) is type(conditioned.network)
        assert plain.state_dict().keys() == conditioned.network.state_dict().keys()
        conditioned.prefer(preference)
        answers.append(conditioned(x))
        assert torch.equal(plain(x), answers[-1])
    assert not torch.allclose(*answers)


def test_the_modulated_layers_are_the_norms_or_the_convolutions_or_the_linear_layers():
    found = {name: [layer.path for layer in FiLM(OWN[name](), NAMES).layers] for name in OWN}
    assert found == {
        "tiny": ["0", "2", "5"],
        "norms": ["layers.1", "layers.3", "layers.4", "last.0", "last.1"],
        "twice": ["first"],
        "no bias": ["0"],
        "transposed": ["0"],
        "linear": ["1"],
        "one layer": ["1"],
    }


def test_the_output_of_a_convolution_is_scaled_and_shifted_channel_by_channel():
    conditioned = awake(FiLM(nn.Sequential(nn.Conv2d(1, 3, 8)), ["natural", "pgd"])).double()
    conditioned.network.append(nn.Flatten())
    x = torch.rand(2, 1, 8, 8, dtype=torch.float64)
    scale, shift = conditioned.encoder(conditioned.preference).chunk(2)
    expected = (1 + scale) * conditioned.network(x) + shift
    assert torch.allclose(conditioned(x), expected)


@given(parts=st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda p: sum(p) > 0.1))
def test_a_row_and_the_same_weights_by_name_are_one_preference(parts):
    row = torch.tensor(parts, dtype=torch.float64) / sum(parts)
    conditioned = FiLM(OWN["one layer"](), NAMES)
    conditioned.prefer(row)
    by_row = conditioned.preference.clone()
    conditioned.prefer(dict(zip(NAMES, row.tolist(), strict=True)))
    assert torch.allclose(conditioned.preference, by_row)


def test_it_works_by_functional_call_and_has_a_state_that_loads():
    conditioned, other = (awake(FiLM(OWN["tiny"](), NAMES)).eval() for _ in range(2))
    conditioned.prefer({"pgd": 1.0})
    x, state = images("tiny"), conditioned.state_dict()
    assert torch.equal(functional_call(other, dict(state), (x,)), conditioned(x))
    other.load_state_dict(state)
    assert torch.equal(other(x), conditioned(x))
    assert torch.equal(copy.deepcopy(other)(x), conditioned(x))


def test_channels_last_stay_so_and_bfloat16_changes_a_little_only():
    conditioned = awake(FiLM(OWN["tiny"](), NAMES)).eval()
    x, expected = images("tiny"), conditioned(images("tiny"))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.allclose(conditioned(x).float(), expected, atol=0.05)
    last = conditioned.to(memory_format=torch.channels_last)
    weight = last._modulated()["2.weight"]
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(last(x.to(memory_format=torch.channels_last)), expected, atol=1e-5)


def test_a_search_climbs_at_the_preference_and_leaves_the_network_as_it_was():
    conditioned = awake(FiLM(OWN["tiny"](), NAMES)).double().eval()
    x, y = images("tiny").double(), torch.arange(4)
    state = copy.deepcopy(conditioned.state_dict())
    pgd = PGD(epsilon=0.2, step_size=0.1, steps=2)
    for preference in ({"natural": 1.0}, {"rt": 1.0}):
        conditioned.prefer(preference)
        found = pgd.perturb(conditioned, x, y)
        assert torch.equal(found, pgd.perturb(conditioned.plain(preference), x, y))
    conditioned.preference.copy_(state["preference"])
    assert all(torch.equal(state[name], v) for name, v in conditioned.state_dict().items())


@pytest.mark.parametrize(
    ("preference", "text"),
    [
        ({"natural": 0.5, "pdg": 0.5}, "the preference names 'pdg', no objective. Did you mean"),
        ({"natural": 0.5, "pgd": 0.6}, "the weights of the preference sum to 1.1, not to 1."),
        ({}, "the weights of the preference sum to 0, not to 1."),
        ({"natural": 3, "pgd": 1}, "sum to 4, not to 1.\n  Divide each by 4."),
        ({"natural": 10**400}, "gives 'natural' the weight 1000"),
        ({"natural": 1.5, "pgd": -0.5}, "gives 'natural' the weight 1.5, not a number from 0 to 1"),
        ({"natural": 1.0, "pgd": -0.1}, "gives 'pgd' the weight -0.1, not a number from 0 to 1"),
        ({"natural": float("nan"), "pgd": 0.5}, "gives 'natural' the weight nan, not a number"),
        ({"natural": True}, "gives 'natural' the weight True, not a number from 0 to 1"),
    ],
)
def test_an_invalid_preference_is_refused(preference, text):
    with pytest.raises(InputError, match=text):
        FiLM(OWN["one layer"](), NAMES).prefer(preference)


@pytest.mark.parametrize("row", [torch.tensor([1.0]), torch.ones(5) / 5])
def test_a_row_of_another_length_is_refused(row):
    with pytest.raises(InputError, match="a preference is a row of"):
        FiLM(OWN["one layer"](), NAMES).prefer(row)


@pytest.mark.parametrize(
    ("objectives", "hidden", "text"),
    [
        ([], 8, "conditioned on two or more objectives"),
        (["natural"], 8, "conditioned on two or more objectives"),
        ("natural", 8, "conditioned on two or more objectives"),
        (["pgd", "pgd"], 8, "of different names"),
        (["natural", "pgd"], 0, "the encoder has a width of 1 or more, not 0"),
    ],
)
def test_invalid_arguments_are_refused(objectives, hidden, text):
    with pytest.raises(InputError, match=text):
        FiLM(OWN["one layer"](), objectives, hidden)


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (lambda: nn.Sequential(nn.LazyConv2d(2, 3), nn.ReLU()), "lazy layers without weights"),
        (lambda: nn.Flatten(), "the network has no layer to condition"),
        *(
            (lambda norm=norm: nn.Sequential(nn.Conv2d(1, 4, 3), norm, nn.ReLU()), mend)
            for norm, mend in WEIGHTLESS
        ),
        (lambda: scripted(OWN["one layer"]()), "compiled by torch.jit cannot be conditioned"),
    ],
)
def test_a_network_that_cannot_be_conditioned_is_refused(network, text):
    with pytest.raises(ModelError, match=text):
        FiLM(network(), NAMES)


def test_a_norm_without_weights_ahead_of_the_modulated_layers_is_no_obstacle():
    network = nn.Sequential(nn.InstanceNorm2d(1), nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3))
    assert [layer.path for layer in FiLM(network, NAMES).layers] == ["1", "3"]


def test_a_weight_that_is_computed_from_another_is_not_modulated():
    weighted = nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 2, 3))
    network = nn.Sequential(weighted, nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(32, 10))
    assert [layer.path for layer in FiLM(network, NAMES).layers] == ["1"]


def test_a_weight_that_two_layers_share_is_not_modulated_and_no_call_changes_the_network():
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3))
    network[1].weight = network[0].weight
    assert [layer.path for layer in FiLM(network, NAMES).layers] == ["2"]
    twice = Twice()
    held = [id(parameter) for parameter in twice.parameters()]
    conditioned = awake(FiLM(twice, NAMES))
    conditioned(images("twice"))
    assert [id(parameter) for parameter in twice.parameters()] == held
