"""A search, a training step and an evaluation refuse the same mistakes, in the same words."""

import jaxtyping
import pytest
import torch
from torch import nn

import moat
from moat.errors import MoatError
from moat.scalarizers import Average
from moat.threats import PGD
from moat.training import train_step

THREAT = PGD(epsilon=0.1, step_size=0.05, steps=2)
X = torch.linspace(0, 1, 512).view(8, 1, 8, 8)
Y = torch.arange(8) % 4


@pytest.fixture(autouse=True)
def as_in_production():
    """Without the suite's own checks of shapes, which would refuse first."""
    jaxtyping.config.update("jaxtyping_disable", True)


class Net(nn.Module):
    """A small network whose logits go through a function of the test's."""

    def __init__(self, after=lambda logits: logits):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.layers, self.after = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), after

    def forward(self, x):
        return self.after(self.layers(x))


def step(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return train_step(model, optimizer, {"pgd": THREAT}, Average(), x, y)


DOORS = {
    "perturb": THREAT.perturb,
    "threat": THREAT,
    "train_step": step,
    "evaluate": lambda model, x, y: moat.evaluate(model, (x, y), [THREAT]),
}
MISTAKES = {
    "a tuple": (Net(lambda z: (z, z)), X, Y, "returns a tuple, not a tensor of logits"),
    "a dict": (Net(lambda z: {"logits": z}), X, Y, "returns a dict, not a tensor of logits"),
    "probabilities": (Net(lambda z: z.softmax(1)), X, Y, "leave out the softmax"),
    "the class": (Net(lambda z: z.argmax(1)), X, Y, "Return one row of logits for each image"),
    "half logits": (Net(lambda z: z.half()), X, Y, "logits.float()"),
    "a half network": (Net().half(), X, Y, "model.float()"),
    "a cut graph": (Net(lambda z: z.detach()), X, Y, "Remove the cut"),
    "one-hot labels": (Net(), X, torch.eye(4)[Y], "use y.argmax(1)"),
    "float labels": (Net(), X, Y.float(), "use y.long()"),
    "labels too large": (Net(), X, Y + 1, "a label is 4, but the model has 4 classes"),
    "labels below 0": (Net(), X, Y - 1, "one is -1"),
    "too few labels": (Net(), X, Y[:3], "8 image(s) have 8 label(s)"),
    "no labels": (Net(), X, None, "labels are a tensor of integers"),
    "half images": (Net(), X.half(), Y, "use x.float()"),
    "intensities": (Net(), X * 255, Y, "Divide bytes by 255"),
    "normalised images": (Net(), 4 * X - 2, Y, "Make normalisation the first layer"),
    "NaN": (Net(), X * torch.nan, Y, "images lie in [0, 1], not in [nan, nan]"),
    "one image": (Net(), X[0], Y[:1], "Add the missing axis: x[None]"),
    "channels last": (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 4)),
        X.repeat(1, 3, 1, 1).permute(0, 2, 3, 1),
        Y,
        "use x.permute(0, 3, 1, 2)",
    ),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_door_finds_the_mistake_before_anything_moves(door, mistake):
    model, x, y, mend = MISTAKES[mistake]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(MoatError) as caught:
        DOORS[door](model, x, y)
    assert mend in str(caught.value)
    assert isinstance(caught.value, ValueError | TypeError)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("labels", [Y.int(), Y[:, None], Y.numpy(), Y.tolist()], ids=type)
def test_every_door_takes_what_can_be_read_in_one_way_alone(door, labels):
    DOORS[door](Net(), X.numpy(), labels)


NET = Net()


class Coloured(PGD):
    needs_channels = 3


@pytest.mark.parametrize(
    "door",
    [
        lambda threat, x: threat.perturb(Net(), x, Y),
        lambda threat, x: moat.threats.search(Net(), [threat], x, Y),
        lambda threat, x: moat.evaluate(Net(), (x, Y), [threat]),
        lambda threat, x: train_step(
            NET, torch.optim.SGD(NET.parameters(), 0.1), {"c": threat}, Average(), x, Y
        ),
    ],
)
def test_a_threat_that_needs_colours_is_refused_by_name_on_grey_images(door):
    threat = Coloured(epsilon=0.1, step_size=0.05, steps=1)
    with pytest.raises(MoatError, match=r"needs images of 3 channels, not 1") as caught:
        door(threat, X)
    assert isinstance(caught.value, ValueError)
