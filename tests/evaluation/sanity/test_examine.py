"""The gate on models that are honest, and on models that mislead their attackers."""

import pytest
import torch
from torch import Tensor, nn

from moat.data import Digits
from moat.evaluation import Protocol, evaluate
from moat.evaluation.sanity import Other, examine
from moat.threats import PGD, RT, Flow, RTGrid

PROTOCOL = Protocol(
    {
        "pgd": PGD(epsilon=0.2, step_size=0.05),
        "flow": Flow(epsilon=0.2, step_size=0.04, steps=10),
        "rt": RT(epsilon=0.15, step_size=0.03, steps=20, search="apgd", start="uniform"),
    },
    at_steps={"pgd": (5, 10)},
    restarts={"rt": 2},
    examples=100,
    sample="first",
    falls="any",
)
NAMES = [
    *("logits", "gradients", "loss", "reach", "strengths", "restarts"),
    *("confidence", "differences", "random search", "another start", "dlr"),
    *("unbounded", "transfer"),
]


class Backwards(torch.autograd.Function):
    """The identity, whose gradient points the wrong way."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx, slope: Tensor) -> Tensor:
        return -slope


class Told(nn.Module):
    """A network seen through a function of its images and logits."""

    def __init__(self, network: nn.Module, before=None, after=None) -> None:
        super().__init__()
        self.network = network
        self.before, self.after = before or (lambda x: x), after or (lambda logits: logits)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.network(self.before(x)))


@pytest.fixture(scope="module")
def data():
    return Digits().load()


@pytest.fixture(scope="module")
def network(data):
    """A few epochs of a small network on clean digits: right, and not robust at all."""
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.1, generator=generator)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    images, labels = data.train.images.float() / 255, data.train.labels
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    return network.eval()


def gate(model, data, other=None, protocol=PROTOCOL):
    checks = examine(evaluate(model, data, protocol), model, data, other=other)
    return {check.name: check for check in checks}


def test_an_honest_model_passes_every_check(network, data):
    checks = gate(network, data, Other(network, "itself"))
    assert list(checks) == NAMES
    verdicts = {name: check.verdict for name, check in checks.items()}
    assert verdicts == dict.fromkeys(NAMES, "pass")


def test_a_gradient_that_points_the_wrong_way_is_found_out(network, data):
    checks = gate(Told(network, Backwards.apply), data, Other(network, "the honest one"))
    assert checks["loss"].verdict == "fail"
    assert checks["random search"].verdict == "fail"
    assert checks["transfer"].verdict == "fail"
    assert "the honest one" in checks["transfer"].text


def test_a_gradient_that_vanishes_is_found_out(network, data):
    checks = gate(Told(network, after=lambda z: 1e4 * z), data, Other(network, "the honest one"))
    assert checks["gradients"].verdict == "fail"
    assert checks["transfer"].verdict == "fail"


def test_steps_on_the_images_are_found_out(network, data):
    rounded = Told(network, lambda x: (8 * x).round() / 8)  # torch's gradient of it is zero
    checks = gate(rounded, data, Other(network, "the honest one"))
    assert checks["gradients"].figure == 100
    assert checks["random search"].verdict == "fail"
    assert checks["transfer"].verdict == "fail"


def test_a_constant_answer_stands_however_wide_the_bounds(network, data):
    def constant(logits):
        return 0 * logits + torch.tensor([2.0] + 9 * [0.0])

    check = gate(Told(network, after=constant), data)["unbounded"]
    right = 100 * (data.test.labels[:100] == 0).double().mean().item()
    assert check.figure == pytest.approx(right)
    assert check.verdict == "warn"
    assert "always answers with one class" in check.text


def test_too_few_steps_are_found_out_by_the_reach(network, data):
    short = Protocol({"flow": Flow(epsilon=0.3, step_size=0.001, steps=5)}, examples=50)
    check = gate(network, data, protocol=short)["reach"]
    assert check.verdict == "warn"
    assert check.figure == pytest.approx(5 * 0.001 / 0.3)


def test_draws_stay_where_the_search_could_get(network, data):
    """Within the whole radius they would find more than a search of five tiny steps."""
    short = Protocol({"flow": Flow(epsilon=0.5, step_size=1e-4, steps=5)}, falls="any")
    assert gate(network, data, protocol=short)["random search"].figure == 0


def test_draws_find_what_a_search_without_restarts_misses_in_the_whole_radius(network, data):
    """A first step beyond the radius and back: the search sees the corners alone."""
    far = Told(network, Backwards.apply)
    wide = Protocol({"pgd": PGD(epsilon=0.3, step_size=0.3, steps=1)}, falls="any")
    assert gate(far, data, protocol=wide)["random search"].figure > 5


def test_without_another_model_transfer_is_not_checked_and_says_so(network, data):
    check = gate(network, data)["transfer"]
    assert check.verdict == "not checked"
    assert "no other finished run" in check.text


def test_only_what_climbs_a_gradient_is_probed(network, data):
    protocol = Protocol({"grid": RTGrid(rotations=3, translations=1)}, examples=10)
    checks = gate(network, data, protocol=protocol)
    assert checks["random search"].verdict == checks["unbounded"].verdict == "not checked"


def test_radii_and_restarts_are_probed_at_the_largest(network, data):
    protocol = Protocol(
        {"pgd": PGD(epsilon=0.3, step_size=0.1, start="uniform")},
        at_epsilon={"pgd": (0.05, 0.2)},
        restarts={"pgd": 2},
        falls="any",
        union_only=True,
        examples=40,
    )
    checks = gate(network, data, Other(network, "itself"), protocol)
    assert set(checks["transfer"].figures) == {"pgd"}
    assert "of 40 examples" in checks["random search"].text


def test_the_model_and_the_random_state_are_left_as_they_were(network, data):
    evaluation = evaluate(network, data, PROTOCOL)
    network.train()
    before = torch.get_rng_state()
    examine(evaluation, network, data, other=Other(network, "itself"))
    assert network.training
    assert torch.equal(before, torch.get_rng_state())
    network.eval()


def test_equal_evaluations_have_equal_gates(network, data):
    evaluation = evaluate(network, data, PROTOCOL)
    first, second = (examine(evaluation, network, data) for _ in range(2))
    assert first == second
