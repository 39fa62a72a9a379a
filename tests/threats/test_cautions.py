"""Numbers on the scale of the image, in Python: a warning at each door, once a threat."""

import copy
import warnings

import pytest
import torch
from torch import nn

import moat
from moat.errors import MoatWarning
from moat.evaluation import Protocol
from moat.scalarizers import Average
from moat.testing import check_threat
from moat.threats import PGD, RT, AutoAttack, Flow, GradientThreat, RTGrid, Threat, search, threat
from moat.threats.cautions import told_elsewhere
from moat.training import Step, train_step

X, Y = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(4)
QUICK = {"steps": 1, "step_size": 0.1}


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def step_of(network, threats):
    return Step(network, torch.optim.SGD(network.parameters(), lr=0.1), threats, "average")


def trained_on(threat):
    network = net()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    return train_step(network, optimizer, {"it": threat}, Average(), X, Y)


DOORS = {
    "a call": lambda threat: threat(net(), X, Y),
    "perturb": lambda threat: threat.perturb(net(), X, Y),
    "search": lambda threat: search(net(), [threat], X, Y),
    "Step": lambda threat: step_of(net(), [threat])(X, Y),
    "train_step": trained_on,
    "evaluate": lambda threat: moat.evaluate(net(), (X, Y), {"it": threat}),
}


def said_of(call):
    """Return the warnings of a call, and the files that they name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert all(one.category is MoatWarning for one in caught)
    assert {one.filename for one in caught} <= {__file__}  # the line of the caller
    return [str(one.message) for one in caught]


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_each_door_warns_of_a_radius_that_counts_grey_levels_once_a_threat(door):
    threat = PGD(epsilon=8, step_size=2, steps=1)
    assert said_of(lambda: door(threat)) == [
        "PGD.epsilon: the radius 8 bounds nothing: a pixel spans [0, 1], and every image lies in "
        "such a ball. It looks like 8 of 255 grey levels: epsilon=8 / 255."
    ]
    assert said_of(lambda: [again(threat) for again in DOORS.values()]) == []
    assert len(said_of(lambda: door(copy.deepcopy(threat)))) == 1  # another threat


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_no_door_warns_of_usual_numbers(door):
    assert said_of(lambda: door(PGD(epsilon=8 / 255, step_size=2 / 255, steps=1))) == []


@threat("cautions-bias")
class Bias(GradientThreat):
    """A plug-in's threat, whose fields have names of their own."""

    shift_epsilon: float = 0.1
    shift_step_size: float = 0.1

    def identity(self, x):
        return (x.new_zeros(len(x), 1, 1, 1),)

    def apply(self, x, w):
        return x + w[0]

    def balls(self, x):
        low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
        return (moat.geometry.balls.LinfBall(self.shift_epsilon, 0.1, low=-low, high=1 - high),)


@pytest.mark.parametrize(
    ("threat", "said"),
    [
        (PGD(epsilon=9, norm="l2", **QUICK), "PGD.epsilon: the radius 9 bounds nothing"),
        (PGD(epsilon=70, norm="l1", **QUICK), "PGD.epsilon: the radius 70 bounds nothing"),
        (PGD(epsilon=7, norm="l2", **QUICK), None),
        (PGD(epsilon=0.1, step_size=2, steps=1), "It looks like 2 of 255 grey levels: step_size=2"),
        (
            PGD(epsilon=0.1, step_size=0.2, steps=3),
            "PGD.step_size: a step of 0.2 is longer than the radius, epsilon = 0.1: every step "
            "ends at the border. Usual is a step of about twice the radius over the number of "
            "steps: 0.05.",
        ),
        (PGD(epsilon=0.1, step_size=0.5, steps=1), "a step of 0.5 is longer than the radius"),
        (PGD(epsilon=0.1, step_size=0.5, steps=1, start="uniform"), "a step of 0.5 is longer"),
        (PGD(epsilon=0.1, step_size=0.125, steps=1, start="uniform"), None),  # fast training
        (PGD(epsilon=0.1, step_size=0.1 + 1e-9, steps=1), None),
        (PGD(epsilon=0.3, step_size=0.4, norm="l2", steps=2), "is longer than the radius"),
        (PGD(epsilon=0.1, step_size=0.2, steps=3, search="apgd"), None),  # which has no fixed step
        (Flow(epsilon=0.1, step_size=0.3, steps=1), "Flow.step_size: a step of 0.3 is longer"),
        (Bias(shift_step_size=0.1, shift_epsilon=0.05), "Bias.shift_step_size: a step of 0.1"),
        (Flow(epsilon=3, **QUICK), "in grid units the image is 2 wide. Write a shift of d"),
        (RT(epsilon=2, **QUICK), None),
        (
            RTGrid(pixels=9, degrees=1, rotations=3, translations=1),
            "a shift of 9 pixels moves the whole image out: it has 8.",
        ),
        (Bias(shift_epsilon=4.0), "Bias.shift_epsilon: the radius 4 bounds nothing"),
    ],
    ids=str,
)
def test_what_is_warned_of(threat, said):
    threat = copy.deepcopy(threat)  # one that no test has handed over
    found = said_of(lambda: threat(net(), X, Y))
    assert len(found) == (said is not None)
    assert (said or "") in "".join(found)


def test_a_protocol_that_scales_a_radius_is_warned_of():
    protocol = Protocol({"pgd": PGD(epsilon=0.5, **QUICK)}, at_epsilon={"pgd": (0.5, 4.0)})
    (said,) = said_of(lambda: moat.evaluate(net(), (X, Y), protocol))
    assert said.startswith("PGD.at_epsilon: the radius 4 bounds nothing")


def test_an_ensemble_of_its_own_is_warned_of():
    with pytest.warns(MoatWarning, match="AutoAttack.epsilon: the radius 8 bounds nothing"):
        step_of(net(), AutoAttack(epsilon=8))


def test_a_threat_whose_balls_cannot_be_read_is_searched_as_ever():
    class Odd(Threat):
        def perturb(self, model, x, y, *, generator=None):
            return x

        def balls(self, x):
            raise RuntimeError

    assert said_of(lambda: Odd()(net(), X, Y)) == []


def test_recipes_and_the_kit_are_told_in_their_own_way():
    wide = PGD(epsilon=8, step_size=2, steps=1)
    with told_elsewhere():
        assert said_of(lambda: wide(net(), X, Y)) == []
    check_threat(PGD(epsilon=2, step_size=0.5, steps=2))
    assert len(said_of(lambda: wide(net(), X, Y))) == 1


# the images and the answers of a network

LAST = torch.rand(4, 8, 16, 3, generator=torch.Generator().manual_seed(2))
USUAL = {"epsilon": 0.1, "step_size": 0.05, "steps": 1}


class Broken(nn.Module):
    """A network of the given size whose first answers are not finite."""

    def __init__(self, value, count=3, size=64):
        super().__init__()
        self.linear, self.value, self.count = nn.Linear(size, 10), value, count

    def forward(self, x):
        logits = self.linear(x.flatten(1))
        broken = torch.arange(len(x))[:, None] < self.count
        return torch.where(broken, torch.full_like(logits, self.value), logits)


NETWORK_DOORS = {
    "perturb": lambda network, x: PGD(**USUAL).perturb(network, x, Y),
    "flow": lambda network, x: Flow(**USUAL).perturb(network, x, Y),
    "grid": lambda network, x: RTGrid(degrees=9, pixels=1, rotations=2, translations=1)(
        network, x, Y
    ),
    "search": lambda network, x: search(network, [PGD(**USUAL), RT(**USUAL)], x, Y),
    "Step": lambda network, x: step_of(network, [PGD(**USUAL)])(x, Y),
    "evaluate": lambda network, x: moat.evaluate(network, (x, Y), [PGD(**USUAL)]),
}
every_door = pytest.mark.parametrize("door", NETWORK_DOORS.values(), ids=NETWORK_DOORS)


@every_door
def test_channels_last_are_warned_of_once_a_network(door):
    network = nn.Sequential(nn.Flatten(), nn.Linear(384, 10))
    (said,) = said_of(lambda: [door(network, LAST) for _ in range(2)])
    assert "(4, 8, 16, 3) look like (batch, height, width, channel)" in said
    assert "x.permute(0, 3, 1, 2)" in said
    other = nn.Sequential(nn.Flatten(), nn.Linear(384, 10))
    assert len(said_of(lambda: door(other, LAST))) == 1
    with told_elsewhere():
        assert said_of(lambda: door(copy.deepcopy(other), LAST)) == []


@pytest.mark.parametrize(
    ("shape", "looks"),
    [
        ((16, 16, 3), True),
        ((8, 8, 1), True),
        ((5, 9, 4), True),
        ((3, 16, 16), False),
        ((1, 16, 3), False),
        ((4, 8, 1), False),
        ((64, 1, 1), False),
        ((64, 3, 3), False),
        ((16, 16, 16), False),
    ],
)
def test_three_axes_tell_channels_last(shape, looks):
    network = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))
    x = torch.rand(4, *shape)
    network(x)
    assert len(said_of(lambda: PGD(**USUAL).perturb(network, x, Y))) == looks


@pytest.mark.parametrize("door", [d for n, d in NETWORK_DOORS.items() if n != "Step"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf], ids=str)
def test_answers_that_are_not_finite_are_counted_in_one_warning(door, value):
    (said,) = said_of(lambda: door(Broken(value), X))
    first = "8 image(s) of its first pass" if door is NETWORK_DOORS["search"] else "4 image(s)"
    assert "logits that are not finite (NaN or infinite) for 3 of " in said
    assert first in said
    assert said.count("which count as misclassified") == 1
    with told_elsewhere():
        assert said_of(lambda: door(Broken(value), X)) == []
    assert said_of(lambda: door(Broken(value, count=0), X)) == []


def test_an_evaluation_counts_the_answers_of_all_its_batches():
    x = X.repeat(150, 1, 1, 1)  # a second batch from 512 on
    (said,) = said_of(lambda: moat.evaluate(Broken(torch.nan, 600), (x, Y.repeat(150)), []))
    assert "for 600 of 600 image(s)" in said
