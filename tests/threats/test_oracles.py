"""moat's PGD against foolbox's and torchattacks': the same start, step and count, the same images.

In float64 every image agrees to 1e-5. In float32 a gradient that is zero but for rounding may turn
its sign, so that 99 of 100 images must.
"""

import pytest
import torch
from torch import Tensor, nn

from moat.threats import PGD

foolbox = pytest.importorskip("foolbox")
torchattacks = pytest.importorskip("torchattacks")

EPSILON, STEP, STEPS, IMAGES = 0.1, 0.03, 7, 200
DIVISION = {"eps_for_division": 1e-30}  # else its gradients are a little short
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def network(dtype: torch.dtype) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(1, 6, 3), nn.Tanh(), nn.Flatten(), nn.Linear(6 * 36, 10)]
        made = nn.Sequential(*layers)
        nn.init.normal_(made[-1].weight, std=0.3)  # away from equal logits
    return made.to(dtype).eval()


def images(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return images, some pixels of which lie on the box, and labels."""
    generator = torch.Generator().manual_seed(1)
    wide = 1.2 * torch.rand(IMAGES, 1, 8, 8, generator=generator, dtype=torch.float64) - 0.1
    labels = torch.randint(10, (IMAGES,), generator=generator)
    return wide.clamp(0, 1).to(dtype), labels


def share_alike(ours: Tensor, theirs: Tensor) -> float:
    """Return the share of the images that agree in every pixel to 1e-5."""
    assert ours.dtype == theirs.dtype  # neither side computed in another type
    return ((ours - theirs).abs().flatten(1).amax(1) <= 1e-5).double().mean().item()


def required(dtype: torch.dtype) -> float:
    return 1.0 if dtype == torch.float64 else 0.99


def of_foolbox(model: nn.Module, x: Tensor, y: Tensor, norm: str, start: Tensor) -> Tensor:
    kind = {
        "linf": foolbox.attacks.LinfProjectedGradientDescentAttack,
        "l2": foolbox.attacks.L2ProjectedGradientDescentAttack,
    }[norm]

    class FromHere(kind):  # type: ignore[misc, valid-type]
        def get_random_start(self, x0, epsilon):
            return type(x0)((x0.raw + start).clamp(0, 1))

    attack = FromHere(abs_stepsize=STEP, steps=STEPS, random_start=True)
    bounded = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    criterion = foolbox.criteria.Misclassification(y)
    return attack.run(bounded, x, criterion, epsilon=EPSILON)


def of_torchattacks(model: nn.Module, x: Tensor, y: Tensor, norm: str, seed: int | None) -> Tensor:
    kind, more = (torchattacks.PGD, {}) if norm == "linf" else (torchattacks.PGDL2, DIVISION)
    attack = kind(model, EPSILON, STEP, STEPS, random_start=seed is not None, **more)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed or 0)
        return attack(x, y)


def drawn_by_torchattacks(x: Tensor, norm: str, seed: int) -> Tensor:
    """Return the start that it draws, by its own calls in their order."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if norm == "linf":
            return torch.empty_like(x).uniform_(-EPSILON, EPSILON)
        direction = torch.empty_like(x).normal_()
        length = direction.flatten(1).norm(dim=1)[:, None, None, None]
        return EPSILON * torch.zeros_like(length).uniform_(0, 1) / length * direction


def from_start(threat: PGD, start: Tensor) -> PGD:
    """Return the threat, searched from this w."""

    class FromHere(PGD):
        def _start(self, x, balls, generator):
            return tuple(ball.project(start) for ball in balls(x))

    made = object.__new__(FromHere)
    made.__dict__.update(threat.__dict__)
    return made


def noise_within(norm: str, dtype: torch.dtype) -> Tensor:
    """Return a start inside the ball, so that neither side projects it."""
    generator = torch.Generator().manual_seed(2)
    drawn = 2 * torch.rand(IMAGES, 1, 8, 8, generator=generator, dtype=torch.float64) - 1
    if norm == "l2":
        drawn = drawn / drawn.flatten(1).norm(dim=1)[:, None, None, None]
    return (0.9 * EPSILON * drawn).to(dtype)


every_type = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
every_norm = pytest.mark.parametrize("norm", ["linf", "l2"])


@every_type
@every_norm
@pytest.mark.parametrize("start", ["zero", "random"])
def test_noise_is_that_of_foolbox(dtype, norm, start):
    model, (x, y) = network(dtype), images(dtype)
    noise = noise_within(norm, dtype) * (start == "random")
    threat = from_start(PGD(epsilon=EPSILON, step_size=STEP, steps=STEPS, norm=norm), noise)
    theirs = of_foolbox(model, x, y, norm, noise)
    assert share_alike(threat.perturb(model, x, y), theirs) >= required(dtype)
    assert (theirs - x).abs().max() > EPSILON / 4  # it did move


@every_type
@every_norm
def test_noise_from_zero_is_that_of_torchattacks(dtype, norm):
    model, (x, y) = network(dtype), images(dtype)
    threat = PGD(epsilon=EPSILON, step_size=STEP, steps=STEPS, norm=norm)
    theirs = of_torchattacks(model, x, y, norm, None)
    assert share_alike(threat.perturb(model, x, y), theirs) >= required(dtype)


@every_type
@every_norm
def test_noise_from_a_random_start_is_that_of_torchattacks(dtype, norm):
    model, (x, y) = network(dtype), images(dtype)
    theirs = of_torchattacks(model, x, y, norm, seed=5)
    drawn = drawn_by_torchattacks(x, norm, seed=5)
    threat = from_start(PGD(epsilon=EPSILON, step_size=STEP, steps=STEPS, norm=norm), drawn)
    ours = threat.perturb(model, x, y)
    assert share_alike(ours, theirs) >= required(dtype)
    from_zero = of_torchattacks(model, x, y, norm, None)
    assert share_alike(from_zero, theirs) < 0.5  # the start does matter
