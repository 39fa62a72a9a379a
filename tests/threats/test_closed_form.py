"""On a linear model with two classes the worst case has a closed form, and the search meets it.

Away from the box, noise of length ε can change the margin z_y - z_j by ε times the dual norm of
the difference of their weights. The gradient has one direction everywhere, so that the search is
exact: in l1 where one step moves one pixel, hence on images of few. (With two classes DLR, which
looks at the third, does not exist.)
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from moat.threats import PGD

DUAL = {"linf": 1, "l2": 2, "l1": float("inf")}
PIXELS = 20
TINY = 1e-9  # of the margin: the only examples that may fall on either side

every_norm = pytest.mark.parametrize("norm", DUAL)


def linear(classes: int) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, classes)).double()


def grey_images(model: nn.Module, count: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images in [0.4, 0.6] and the classes that the model sees in them."""
    generator = torch.Generator().manual_seed(1)
    x = 0.4 + 0.2 * torch.rand(count, 1, 4, 5, generator=generator, dtype=torch.float64)
    model[1].bias.data -= model(x).mean(0).detach()  # every class is seen
    return x, model(x).argmax(1)


def margins(model: nn.Module, images: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return z_y - z_j of every class j, infinite for y itself; (batch, classes)."""
    logits = model(images).detach()
    apart = logits.gather(1, y[:, None]) - logits
    return apart.scatter(1, y[:, None], torch.inf)


def slopes(model: nn.Module, y: torch.Tensor, norm: str) -> torch.Tensor:
    """Return the dual norm of w_y - w_j; (batch, classes)."""
    weights = model[1].weight.detach()
    return torch.linalg.vector_norm(weights[y][:, None] - weights, DUAL[norm], dim=2)


def median_radius(model: nn.Module, x: torch.Tensor, y: torch.Tensor, norm: str) -> float:
    """Return the radius at which half of the images fall, which is far from the box."""
    needed = (margins(model, x, y) / slopes(model, y, norm)).amin(1)
    return needed.median().item()


def noise(norm: str, epsilon: float, **more: object) -> PGD:
    return PGD(norm=norm, epsilon=epsilon, step_size=epsilon / 4, **{"steps": 12} | more)


@every_norm
@pytest.mark.parametrize("start", ["zero", "uniform"])
@pytest.mark.parametrize("loss", ["cross-entropy", "margin"])
@pytest.mark.parametrize("share", [0.3, 1.0, 1.7])
def test_an_example_falls_just_where_its_margin_is_below_epsilon_times_the_dual_norm(
    norm, start, loss, share
):
    model = linear(classes=2)
    x, y = grey_images(model)
    epsilon = share * median_radius(model, x, y, norm)
    # From a uniform start in l1 every step sheds a share of the noise on the other pixels.
    threat = noise(norm, epsilon, start=start, loss=loss, steps=100 if start == "uniform" else 12)
    images = threat.perturb(model, x, y, generator=torch.Generator().manual_seed(0))
    left = (margins(model, x, y) - epsilon * slopes(model, y, norm)).amin(1)
    clear = left.abs() > TINY
    assert clear.double().mean() > 0.99
    assert 0 < (left > 0).double().mean() < 1
    stood = margins(model, images, y).amin(1) > 0
    assert torch.equal(stood[clear], left[clear] > 0)


@every_norm
def test_the_loss_at_the_end_is_that_of_the_closed_form(norm):
    model = linear(classes=2)
    x, y = grey_images(model)
    epsilon = median_radius(model, x, y, norm)
    images = noise(norm, epsilon).perturb(model, x, y)
    left = (margins(model, x, y) - epsilon * slopes(model, y, norm)).amin(1)
    loss = F.cross_entropy(model(images), y, reduction="none").detach()
    torch.testing.assert_close(loss, F.softplus(-left), rtol=0, atol=1e-12)


@every_norm
@pytest.mark.parametrize("loss", ["cross-entropy", "margin", "dlr"])
def test_with_many_classes_no_search_finds_more_than_there_is(norm, loss):
    model = linear(classes=5)
    x, y = grey_images(model)
    epsilon = median_radius(model, x, y, norm)
    images = noise(norm, epsilon, loss=loss).perturb(model, x, y)
    worst = (margins(model, x, y) - epsilon * slopes(model, y, norm)).amin(1)
    found, whole = margins(model, images, y).amin(1), margins(model, x, y).amin(1)
    assert (found >= worst - TINY).all()
    left = ((found - worst) / (whole - worst)).median()
    assert left < (TINY if loss == "margin" else 0.25)  # the others do not aim at one class


def in_the_box(x: torch.Tensor, climbs: torch.Tensor, norm: str, epsilon: float) -> torch.Tensor:
    """Return the largest rise of climbs · w: in l1 the steepest pixels are filled one by one."""
    room = torch.where(climbs > 0, 1 - x, x).flatten(1)
    heights = climbs.flatten(1).abs()
    if norm == "linf":
        return (heights * room.clamp(max=epsilon)).sum(1)
    heights, order = heights.sort(dim=1, descending=True)
    room = room.gather(1, order)
    before = room.cumsum(1) - room
    return (heights * (epsilon - before).clamp(min=0).minimum(room)).sum(1)


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.3), ("l1", 0.5), ("l1", 2.5)])
def test_where_the_box_binds_the_search_goes_on_to_pixels_that_can_still_move(norm, epsilon):
    model = linear(classes=2)
    x, y = grey_images(model, count=20)
    x = (5 * (x - 0.5)).add(0.5).clamp(0, 1)
    x[:, :, ::2] = x[:, :, ::2].round()
    step = epsilon / 200
    images = PGD(norm=norm, epsilon=epsilon, step_size=step, steps=400).perturb(model, x, y)
    weights = model[1].weight.detach()
    climbs = (weights[1 - y] - weights[y]).view_as(x)
    rise = ((images - x) * climbs).flatten(1).sum(1)
    best = in_the_box(x, climbs, norm, epsilon)
    assert (rise <= best + TINY).all()
    assert (rise >= best - step).all()  # to a step: the search never stands still
