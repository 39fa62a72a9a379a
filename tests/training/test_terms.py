"""Losses of several kinds, and those with a partner, descend the gradient that is written out."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from moat.scalarizers import MGDA, Average, LaggedScalarizer, LossScalarizer, Max, TwoMoment
from moat.threats import PGD
from moat.training import (
    KL,
    MART,
    CrossEntropy,
    LogitPairing,
    PairLoss,
    Step,
    StepSettings,
    train_step,
)
from moat.training.objective_losses import objective_losses

LOSSES = {
    "natural": CrossEntropy(label_smoothing=0.1),
    "pgd": KL(),
    "flow": LogitPairing(partner="rt", weight=2.0),
    "rt": MART(),
}
NAMES = tuple(LOSSES)


class Softmax(LossScalarizer):
    """Weighs whole objectives, the natural one among them, by their losses."""

    def weights(self, losses):
        return torch.softmax(losses.means(), 0)


class TopTwo(LossScalarizer):
    """The two hardest threats of each example: weights by example, without a look at values."""

    support = 2

    def plan(self, names, batch, generator=None):
        return torch.arange(len(names)) > 0

    def weights(self, losses):
        values = losses.values[1:].argsort(0).argsort(0)
        return torch.cat([torch.zeros_like(losses.values[:1]), 0.1 * values])


class ByValue(TopTwo):
    support = None


class Sparse(LaggedScalarizer):
    """Plans some examples of two threats; the partners of both are left out."""

    def plan(self, names, batch, generator=None):
        mask = torch.zeros(len(names), batch, dtype=torch.bool)
        mask[1, ::2] = mask[2, ::3] = True
        return mask

    def weights(self, names):
        return torch.tensor([0.0, 0.3, 0.7, 0.0])


class FlowAlone(LaggedScalarizer):
    """Measures one threat, whose partner must be searched for it."""

    def plan(self, names, batch, generator=None):
        return torch.tensor([name == "flow" for name in names])

    def weights(self, names):
        return torch.tensor([float(name == "flow") for name in names])


RULES = [Average(), Average(include_natural=True), TwoMoment(rho=0.5), Max(), Softmax(), TopTwo()]
RULES += [ByValue(), Sparse(), FlowAlone(), MGDA()]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)


def gradients(network):
    return torch.cat([parameter.grad.reshape(-1) for parameter in network.parameters()])


def logits_of(network, images):
    """Batch norm sees the natural images alone, and all adversarial ones together."""
    adversarial = network(torch.cat(images[1:])).split(len(images[0]))
    return [network(images[0]), *adversarial]


def written(network, images, y, weights, losses=LOSSES):
    """Return the gradient of Σ weights · losses, written out on whole batches."""
    network = copy.deepcopy(network)
    logits = dict(zip(NAMES, logits_of(network, images), strict=True))
    total = torch.zeros(())
    for number, name in enumerate(NAMES):
        loss = losses.get(name, CrossEntropy())
        partner = getattr(loss, "partner", None)
        values = loss(logits[name], y, *([] if partner is None else [logits[partner]]))
        counted = weights[number] != 0
        if counted.any():  # a weight an objective: the mean over the examples that were planned
            total = total + (weights[number] * values)[counted].sum()
    total.backward()
    return gradients(network)


def by_example(rule, descent, batch):
    """Return (objectives, batch): what each loss is multiplied by."""
    weights = descent.weights.detach().double()
    if weights.ndim == 2:
        return weights / batch
    planned = rule.plan(NAMES, batch)
    planned = planned if planned.ndim == 2 else planned[:, None].expand(-1, batch)
    return weights[:, None] * planned / planned.sum(1, keepdim=True).clamp(min=1)


@every_rule
@pytest.mark.parametrize("pass_size", [1, 5, 1000])
def test_a_step_descends_what_is_written_out_in_passes_of_any_size(
    network, threats, images, rule, pass_size
):
    x, y = images
    rule = copy.deepcopy(rule)
    step = Step(network, sgd(network), threats, rule, losses=LOSSES, pass_size=pass_size)
    found = [x, *(threat.perturb(network, x, y) for threat in threats.values())]
    descent = step.backward(x, y)
    expected = written(network, found, y, by_example(rule, descent, len(x)))
    torch.testing.assert_close(gradients(network), expected)


@pytest.mark.parametrize("rule", [*RULES[:4], TopTwo(), MGDA()], ids=lambda r: type(r).__name__)
def test_under_batch_norm_both_forwards_share_a_pass_where_a_loss_looks_across(
    normed_network, threats, images, rule
):
    x, y = images
    rule, network = copy.deepcopy(rule), normed_network.train()
    found = [x, *(threat.perturb(network, x, y) for threat in threats.values())]
    descent = Step(network, sgd(network), threats, rule, losses=LOSSES, pass_size=4).backward(x, y)
    if isinstance(rule, LossScalarizer):  # the chosen images share a forward, with the partners
        assert gradients(network).isfinite().all()
        return
    expected = written(network, found, y, by_example(rule, descent, len(x)))
    torch.testing.assert_close(gradients(network), expected)


def sgd(network):
    return torch.optim.SGD(network.parameters(), lr=0.1)


@every_rule
def test_what_is_measured_is_what_the_rule_planned_and_no_partner_besides(
    network, threats, images, rule
):
    x, y = images
    descent = Step(network, sgd(network), threats, copy.deepcopy(rule), losses=LOSSES)(x, y)
    measured = ~descent.losses.values.isnan()
    assert torch.equal(measured, by_plan(rule, len(x)))


def by_plan(rule, batch):
    planned = rule.plan(NAMES, batch)
    return planned if planned.ndim == 2 else planned[:, None].expand(-1, batch)


def test_trades_on_a_linear_model_is_the_gradient_of_its_authors_formula(images):
    x, y = images
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)).double()
    own = copy.deepcopy(network)
    pgd = PGD(epsilon=0.2, step_size=0.05, steps=3, loss="kl", start="noise")
    hard = pgd.perturb(network, x, y, generator=torch.Generator().manual_seed(5))

    class Beta(LaggedScalarizer):
        def weights(self, names):
            return torch.tensor([1.0, 6.0])

    step = Step(
        network,
        sgd(network),
        pgd,
        Beta(),
        losses={"pgd": "kl"},
        generator=torch.Generator().manual_seed(5),
        pass_size=5,
    )
    step.backward(x, y)
    robust = nn.KLDivLoss(reduction="sum")(
        F.log_softmax(own(hard), dim=1), F.softmax(own(x), dim=1)
    )
    (F.cross_entropy(own(x), y) + 6.0 * robust / len(x)).backward()
    torch.testing.assert_close(gradients(network), gradients(own))


def test_a_table_of_one_loss_is_that_loss(network, threats, images):
    x, y = images
    steps = [
        Step(own := copy.deepcopy(network), sgd(own), threats, "average", losses=losses)
        for losses in ("margin", dict.fromkeys(NAMES, "margin"))
    ]
    for step in steps:
        step.backward(x, y)
    assert torch.equal(gradients(steps[0].model), gradients(steps[1].model))


@pytest.mark.parametrize(
    ("rule", "losses", "forwards", "backwards"),
    [
        # natural and pgd share the natural logits
        (Average(include_natural=True), {"pgd": KL()}, 48, 48),
        # flow and rt are measured, and natural looked at by two
        (Average(), {"flow": KL(), "rt": MART()}, 48, 48),
        # one measured, its partner searched and looked at
        (FlowAlone(), {"flow": LogitPairing(partner="rt")}, 24, 24),
        # a gradient each, and what it looks at
        (MGDA(), {"pgd": KL()}, 60, 60),
        # measured once, then the chosen and every partner that may be looked at
        (Max(), {"pgd": KL()}, 48 + 24, 24),
        (Max(), {"pgd": CrossEntropy(label_smoothing=0.1)}, 36 + 12, 12),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("pass_size", [6, 1000])
def test_a_partner_that_is_measured_costs_no_forward(
    network, threats, images, counter, rule, losses, forwards, backwards, pass_size
):
    x, y = images
    searched = 12 * (3 if isinstance(rule, FlowAlone) else 6)
    settings, counted = StepSettings(pass_size, loss=losses), counter(network)
    train_step(network, sgd(network), threats, copy.deepcopy(rule), x, y, settings)
    assert counted.forwards - searched == forwards
    assert counted.backwards - searched == backwards


def test_an_infinite_slope_of_one_kind_of_loss_does_not_reach_images_of_another(
    network, threats, images
):
    x, y = images

    def steep(logits, labels):
        return logits.sum(1).abs().sqrt() - 1e6  # chosen nowhere

    def flat(logits, labels):
        return (logits * 0).sum(1) + F.cross_entropy(logits, labels, reduction="none")

    zero = {name: (flat if name == "rt" else steep) for name in NAMES}
    for parameter in network.parameters():
        nn.init.zeros_(parameter)  # the logits are 0, where the slope of a root is infinite
    Step(network, sgd(network), threats, Max(), losses=zero).backward(x, y)
    assert gradients(network).isfinite().all()


def test_a_function_of_ones_own_may_have_a_partner(network, threats, images):
    x, y = images
    squared = PairLoss(lambda z, y, other: (z - other).square().sum(1), partner="natural")
    descent = Step(network, sgd(network), threats, "average", losses={"pgd": squared})(x, y)
    assert objective_losses({"pgd": squared}, NAMES)[1] is squared
    assert descent.losses.values[1].isfinite().all()
