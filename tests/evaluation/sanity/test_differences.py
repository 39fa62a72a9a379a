"""What the gradient predicts, against what the margin does, at one point."""

import pytest
import torch
from torch import nn

from moat.evaluation.sanity.differences import points, unpredicted
from moat.threats import PGD, RT, Flow, Integrated, StAdv

THREATS = {
    "pgd": PGD(epsilon=0.1, step_size=0.1),
    "l2": PGD(epsilon=0.5, step_size=0.1, norm="l2"),
    "l1": PGD(epsilon=1.0, step_size=0.1, norm="l1"),
    "flow": Flow(epsilon=0.1, step_size=0.1),
    "rt": RT(epsilon=0.1, step_size=0.1),
    "integrated": Integrated(
        flow_epsilon=0.1, flow_step_size=0.1, rt_epsilon=0.1, rt_step_size=0.1
    ),
    "stadv": StAdv(step_size=0.1),
}


class Smooth(nn.Module):
    """A small network, in float64 inside, whose gradient is multiplied."""

    def __init__(self, times: float = 1.0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("weight", torch.randn(64, 4, generator=generator).double())
        self.times = times

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = torch.tanh(0.1 * x.double().flatten(1) @ self.weight)
        return self.times * logits + (logits - self.times * logits).detach()


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(1)
    x = torch.nn.functional.interpolate(
        torch.rand(20, 1, 4, 4, generator=generator), scale_factor=2, mode="bilinear"
    )
    return x, torch.arange(20) % 4


def wrong(model, threat, x, y, pass_size=7):
    generator = torch.Generator().manual_seed(2)
    places = points(threat, x, threat.balls(x), generator)
    return [int(unpredicted(model, y, p, pass_size, generator).sum()) for p in places]


@pytest.mark.parametrize("name", THREATS)
@pytest.mark.parametrize(("times", "found"), [(1.0, 0), (-1.0, 20), (0.0, 20), (0.1, 20), (9, 20)])
def test_a_gradient_is_right_or_is_not(images, name, times, found):
    for count in wrong(Smooth(times), THREATS[name], *images):
        assert abs(count - found) <= 1  # interpolation has kinks


def test_a_flat_model_changes_as_little_as_its_gradient_says(images):
    class Flat(nn.Module):
        def forward(self, x):
            return 0 * x.flatten(1)[:, :4] + torch.tensor([3.0, 2.0, 1.0, 0.0])

    assert wrong(Flat(), THREATS["pgd"], *images) == [0, 0]


def test_the_size_of_a_pass_and_of_the_logits_change_nothing(images):
    for scale in (1e-6, 1.0, 1e6):
        for pass_size in (3, 64):
            model = nn.Sequential(Smooth(), _Scaled(scale))
            assert wrong(model, THREATS["flow"], *images, pass_size) == [0, 0]


class _Scaled(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return self.scale * logits
