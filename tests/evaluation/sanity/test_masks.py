"""Models that hide from a search, each by its own means, and honest ones that do not.

Source: Athalye et al., Obfuscated Gradients Give a False Sense of Security, 2018.
"""

import math
from copy import deepcopy
from dataclasses import replace
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from moat.data import Digits, Split
from moat.evaluation import Protocol, evaluate
from moat.evaluation.sanity import examine
from moat.threats import PGD, Flow

EPSILON = 0.15
SEARCHES = {
    "signs": PGD(epsilon=EPSILON, step_size=0.03, steps=10, start="uniform"),
    "auto": PGD(epsilon=EPSILON, steps=10, search="apgd"),
}
HONESTLY = {
    "signs": SEARCHES["signs"],
    "l2": PGD(epsilon=0.6, steps=10, norm="l2", search="apgd"),
    "flow": Flow(epsilon=0.05, step_size=0.01, steps=10),
}
DOUBTS = ("warn", "fail")


class Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.own = nn.Sequential(
            *(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.own(x))


class InFloat64(nn.Module):
    """A network that reckons in float64."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.double()

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x.double()).float()


def convolutional(act=nn.ReLU, pool=nn.MaxPool2d, dropout=0.0, residual=False):
    return nn.Sequential(
        *(nn.Conv2d(1, 12, 3, padding=1), act(), pool(2)),
        Residual(12) if residual else nn.Sequential(nn.Conv2d(12, 12, 3, padding=1), act()),
        *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(192, 32), act(), nn.Linear(32, 10)),
    )


def trained(network: nn.Module, epsilon: float = 0.0, epochs: int = 6):
    """Train on the digits, within seconds; against noise where a radius is given."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for module in network.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                module.reset_parameters()
        split, optimizer = Digits().load().train, torch.optim.Adam(network.parameters(), 4e-3)
        images, labels = split.images.float() / 255, split.labels
        noise = PGD(epsilon=epsilon, step_size=epsilon / 2, steps=3) if epsilon else None
        for _ in range(epochs):
            for rows in torch.randperm(len(images)).split(128):
                x, y = images[rows], labels[rows]
                x = noise.perturb(network, x, y) if noise else x
                network.train()
                optimizer.zero_grad()
                F.cross_entropy(network(x), y).backward()
                optimizer.step()
    return network.eval()


class Seen(nn.Module):
    """A network seen through a function of its images and logits."""

    def __init__(self, network, before=lambda x: x, after=lambda logits: logits) -> None:
        super().__init__()
        self.network, self.before, self.after = network, before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.network(self.before(x)))


class Differentiated(nn.Module):
    """What one network answers, with the gradient of another."""

    def __init__(self, answers, slopes, share: float = 1.0) -> None:
        super().__init__()
        self.answers, self.slopes, self.share = answers, slopes, share

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            answer = self.answers(x)
        slopes = self.share * self.slopes(x)
        return slopes + (answer - slopes).detach()


class Halved(nn.Module):
    """Two networks' sum, of which the gradient knows one."""

    def __init__(self, hidden, seen) -> None:
        super().__init__()
        self.hidden, self.seen = hidden, seen

    def forward(self, x: Tensor) -> Tensor:
        return self.hidden(x.detach()) + 0.3 * self.seen(x)


def backwards(change):
    """The identity, whose gradient is changed."""

    class Changed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, slope):
            return change(slope)

    return Changed.apply


def drawn(slope: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(int(slope.abs().sum().item() * 1e6) % 1000)
    return slope.std() * torch.randn(slope.shape, generator=generator)


def straight(change):
    """A change of the images, whose gradient is taken to be that of the identity."""
    return lambda x: x + (change(x) - x).detach()


def steps(count: int):
    return lambda x: (count * x).round() / count


def stairs(count: int):
    """Smooth steps, flat at every multiple of their width: pixels lie there."""
    return lambda x: x - torch.sin(2 * math.pi * count * x) / (2 * math.pi * count)


def steep(count: int, slope: float):
    """Sigmoid steps: nearly flat between them, and very steep at them."""

    def change(x: Tensor) -> Tensor:
        place = count * x
        return (place.floor() + torch.sigmoid((place - place.floor() - 0.5) * slope)) / count

    return change


def frequencies(x: Tensor) -> Tensor:
    """Round the cosine transform of an image, as JPEG does."""
    place = torch.arange(8.0)
    basis = torch.cos(math.pi / 8 * (place + 0.5) * place[:, None])
    basis = basis / basis.norm(dim=1, keepdim=True)
    return basis.T @ ((basis @ x @ basis.T) / 0.3).round() @ basis * 0.3


def rippled(amplitude: float, frequency: float):
    return lambda x: x + amplitude * torch.sin(frequency * x)


class Wavy(nn.Module):
    """A network whose logits ripple along random directions."""

    def __init__(self, network, amplitude: float, frequency: float) -> None:
        super().__init__()
        self.network, self.amplitude, self.frequency = network, amplitude, frequency
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("ways", torch.randn(64, 10, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x) + self.amplitude * torch.sin(
            self.frequency * (x.flatten(1) @ self.ways)
        )


def repeatedly(change, times: int):
    """A purifier that is applied again and again: its gradient vanishes or explodes."""

    def purified(x: Tensor) -> Tensor:
        for _ in range(times):
            x = change(x)
        return x

    return purified


def nothing_small(slope: Tensor) -> Tensor:
    return torch.where(slope.abs() > 1e3, slope, 0.0)


def won_by(amount: float):
    """The largest logit is larger still: the cross-entropy saturates, and no answer changes."""
    return lambda z: z + amount * F.one_hot(z.argmax(1), z.shape[1])


def in_squares(x: Tensor) -> Tensor:
    """Every other pixel has no gradient."""
    seen = (torch.arange(64) % 2).view(1, 1, 8, 8)
    return x * seen + (x * (1 - seen)).detach()


SATURATED = {
    "the winner leads by 20 more": won_by(20.0),
    "the winner leads by 40 more": won_by(40.0),
    "the others fall behind by 40": lambda z: won_by(40.0)(z) - 40,
    "logits that saturate": lambda z: 1e2 * z,
    "log-probabilities at a low temperature": lambda z: F.log_softmax(60 * z, 1),
}
KINKED = {
    "cut off by relu": F.relu,
    "cut off by hardtanh": lambda x: F.hardtanh(x, 0.0, 1.0),
    "cut off by relu6": lambda x: F.relu6(6 * x) / 6,
    "absolute values": torch.abs,
    "clamped to the middle": lambda x: x.clamp(0.1, 0.9),
    "shrunk": lambda x: F.softshrink(x, 0.05),
    "half of the pixels are detached": in_squares,
}
MASKS = {
    **{
        name: lambda own, _, after=after: Seen(own, after=after)
        for name, after in SATURATED.items()
    },
    **{name: lambda own, _, before=before: Seen(own, before) for name, before in KINKED.items()},
    "reversed": lambda own, _: Seen(own, backwards(torch.neg)),
    "noise for a gradient": lambda own, _: Seen(own, backwards(drawn)),
    "small gradients are cut to zero": lambda own, _: Seen(own, backwards(nothing_small)),
    "another network's gradient": Differentiated,
    "another's, tiny": lambda own, other: Differentiated(own, other, 1e-4),
    "another's, huge": lambda own, other: Differentiated(own, other, 1e2),
    "a branch is detached": Halved,
    "logits next to nothing": lambda own, _: Seen(own, after=lambda z: 1e-3 * z),
    "rounded": lambda own, _: Seen(own, steps(16)),
    "rounded, straight through": lambda own, _: Seen(own, straight(steps(16))),
    "rounded frequencies": lambda own, _: Seen(own, lambda x: frequencies(x) + 0 * x),
    "rounded frequencies, straight through": lambda own, _: Seen(own, straight(frequencies)),
    "smooth stairs": lambda own, _: Seen(own, stairs(16)),
    "fine smooth stairs": lambda own, _: Seen(own, stairs(255)),
    "steep stairs": lambda own, _: Seen(own, steep(8, 40.0)),
    "ripples in the image": lambda own, _: Seen(own, rippled(0.01, 1000.0)),
    "fine ripples in the image": lambda own, _: Seen(own, rippled(0.003, 2e4)),
    "ripples in the logits": lambda own, _: Wavy(own, 0.5, 30.0),
    "fine ripples in the logits": lambda own, _: Wavy(own, 0.2, 1000.0),
    "shattered": lambda own, _: Seen(own, repeatedly(lambda x: x + 0.02 * torch.sin(90 * x), 4)),
}


@pytest.fixture(scope="module")
def data():
    return Digits().load()


@pytest.fixture(scope="module")
def own():
    return trained(convolutional(residual=True), EPSILON)


@pytest.fixture(scope="module")
def other():
    return trained(convolutional(nn.GELU, nn.AvgPool2d))


def doubts(model, data, threat):
    evaluation = evaluate(model, data, Protocol({"it": threat}, examples=50, falls="any"))
    found = examine(evaluation, model, data)
    return {check.name: check.figure for check in found if check.verdict in DOUBTS}


@pytest.mark.parametrize("mask", MASKS)
def test_a_model_that_hides_from_auto_pgd_is_doubted(data, own, other, mask):
    assert doubts(MASKS[mask](own, other), data, SEARCHES["auto"])


def test_the_honest_model_behind_the_masks_is_not(data, own):
    for name, threat in HONESTLY.items():
        assert not doubts(own, data, threat), name


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("mask", ["reversed", "another network's gradient", "smooth stairs"])
def test_differences_alone_find_a_gradient_that_is_not_the_models(data, own, other, mask, search):
    found = doubts(MASKS[mask](own, other), data, SEARCHES[search])
    assert found["differences"] > 50


class MisledNearTheBoundary(nn.Module):
    """A network whose gradient is another one wherever two classes are close."""

    def __init__(self, network, width, slopes) -> None:
        super().__init__()
        self.network, self.width, self.slopes = network, width, slopes

    def forward(self, x: Tensor) -> Tensor:
        z = self.network(x)
        first, second = z.detach().topk(2, 1).values.split(1, 1)
        other = self.slopes(self.network, x, z)
        return torch.where(first - second < self.width, z.detach() + other - other.detach(), z)


MISLEADING = {
    "reversed": lambda network, x, z: -z,
    "none": lambda network, x, z: 0 * z,
    "of a shifted image": lambda network, x, z: network(x.roll((3, 3), (2, 3))),
}


@pytest.mark.parametrize("width", [0.3, 1.0])
@pytest.mark.parametrize("slopes", MISLEADING)
def test_a_gradient_that_is_wrong_near_the_boundary_alone_is_found(data, own, slopes, width):
    misled = MisledNearTheBoundary(own, width, MISLEADING[slopes])
    assert doubts(misled, data, SEARCHES["auto"])["differences"] > 20


@pytest.fixture(scope="module")
def fragile():
    return trained(convolutional(), epochs=20)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("loss", ["cross-entropy", "dlr"])
@pytest.mark.parametrize("amount", [20.0, 40.0])
def test_a_loss_that_saturates_is_found_by_another_start(data, fragile, search, loss, amount):
    threat = replace(SEARCHES[search], loss=loss)
    found = doubts(Seen(fragile, after=won_by(amount)), data, threat)
    assert found["another start"] > 10


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("kink", KINKED)
def test_pixels_without_a_gradient_that_change_the_answer_are_found(data, fragile, search, kink):
    assert "differences" in doubts(Seen(fragile, KINKED[kink]), data, SEARCHES[search])


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("loss", ["cross-entropy", "dlr"])
def test_the_honest_model_behind_those_is_not_doubted_by_the_same_checks(
    data, fragile, search, loss
):
    found = doubts(fragile, data, replace(SEARCHES[search], loss=loss))
    assert not {"another start", "differences"} & set(found)


def test_pixels_without_a_gradient_that_change_nothing_are_not(data, fragile):
    def blank(x):
        return x * (torch.arange(64) % 8 > 1).view(1, 1, 8, 8)

    assert not doubts(Seen(fragile, blank), data, SEARCHES["auto"])


@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_that_keeps_its_best_still_ends_below_its_start_if_misled(data, own, search):
    found = doubts(Seen(own, backwards(torch.neg)), data, SEARCHES[search])
    assert found["loss"] > 90


def test_without_any_gradient_no_bounds_are_wide_enough(data, own):
    found = doubts(Seen(own, lambda x: steps(16)(x) + 0 * x), data, SEARCHES["auto"])
    assert found["unbounded"] > 90


@cache
def against_noise():
    return trained(convolutional(), EPSILON)


def dead_in_part():
    """Three of twelve filters never answer."""
    network = trained(convolutional())
    with torch.no_grad():
        network[0].bias[:3] = -10
    return network


HONEST = {
    "natural, dead in part": dead_in_part,
    "against noise, of GELU": lambda: trained(convolutional(nn.GELU, nn.AvgPool2d), EPSILON),
    "natural, residual": lambda: trained(convolutional(residual=True)),
    "with dropout": lambda: trained(convolutional(dropout=0.2), EPSILON),
    "large logits": lambda: Seen(against_noise(), after=lambda z: 3 * z),
    "in float64": lambda: InFloat64(deepcopy(against_noise())),
}


@pytest.mark.parametrize("model", HONEST)
def test_an_honest_model_is_not_doubted(data, model):
    network = HONEST[model]()
    for name, threat in HONESTLY.items():
        assert not doubts(network, data, threat), name


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(("scale", "verdict"), [(1.0, "pass"), (2e-3, "warn"), (1e-5, "fail")])
def test_logits_that_set_no_class_apart_are_found(data, own, search, scale, verdict):
    small = Seen(own, after=lambda z: scale * z)
    protocol = Protocol({"it": SEARCHES[search]}, examples=50, falls="any")
    found = {c.name: c for c in examine(evaluate(small, data, protocol), small, data)}
    assert found["confidence"].verdict == verdict


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_confidence_is_the_distance_of_right_answers_from_chance_in_nats(data, classes):
    class Sure(nn.Module):
        def forward(self, x):
            return x.sum((1, 2, 3))[:, None] * 0 + 3.0 * torch.eye(classes)[0]

    zeros = Split(data.test.images[:30], torch.zeros(30).long(), torch.arange(30))
    model, protocol = Sure(), Protocol({"it": SEARCHES["auto"]})
    found = {c.name: c for c in examine(evaluate(model, zeros, protocol), model, zeros)}
    held = math.exp(3) / (math.exp(3) + classes - 1)
    assert found["confidence"].figure == pytest.approx(math.log(held * classes), rel=1e-4)


def test_without_a_right_answer_there_is_no_confidence(data, own):
    wrong = Seen(own, after=lambda z: -z)
    protocol = Protocol({"it": SEARCHES["auto"]}, examples=20)
    found = {c.name: c for c in examine(evaluate(wrong, data, protocol), wrong, data)}
    assert found["confidence"].verdict == "not checked"
    assert found["confidence"].text == "None of the probed examples is classified correctly."


def test_a_search_that_stays_where_it_cannot_climb_is_found_by_another_start(data, own):
    """Broad ripples: the gradient is right everywhere, and leads from the image nowhere."""
    found = doubts(
        Seen(own, rippled(0.05, 30.0)), data, PGD(epsilon=0.15, step_size=0.03, steps=10)
    )
    assert found["another start"] > 10
