"""Each loss is its formula, written out, and its gradient is finite where probabilities round."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from moat.errors import DefinitionError, FieldError
from moat.losses import margin
from moat.scalarizers import (
    DWA,
    FAMO,
    MGDA,
    Average,
    GradNorm,
    Sampled,
    TwoMoment,
    UncertaintyWeighting,
)
from moat.threats import PGD
from moat.training import (
    DLR,
    KL,
    MART,
    CrossEntropy,
    LogitPairing,
    Margin,
    PairLoss,
    StepSettings,
    train_step,
)
from moat.training.objective_losses import objective_losses


@pytest.fixture
def logits():
    return 3 * torch.randn(2, 9, 5, generator=torch.Generator().manual_seed(1)).double()


Y = torch.arange(9) % 5


def kl(source, target):
    return (source * (source.log() - target.log())).sum(1)


def mart(p, q, weight):
    rest = torch.stack([1 - row[torch.arange(5) != y].max() for row, y in zip(p, Y, strict=True)])
    own, natural = p.gather(1, Y[:, None])[:, 0], q.gather(1, Y[:, None])[:, 0]
    return -own.log() - rest.log() + weight * kl(q, p) * (1 - natural)


def pairing(p, source, target, weight):
    return -p.gather(1, Y[:, None])[:, 0].log() + weight * (source.argmax(1) == Y) * kl(
        source, target
    )


FORMULAS = {
    "smooth": (
        CrossEntropy(label_smoothing=0.2),
        lambda p, q: -0.8 * p.gather(1, Y[:, None])[:, 0].log() - 0.2 * p.log().mean(1),
    ),
    "kl": (KL(), lambda p, q: kl(q, p)),
    "mart": (MART(weight=6.0), lambda p, q: mart(p, q, 6.0)),
    "pairing": (LogitPairing(partner="b", weight=2.0), lambda p, q: pairing(p, q, p, 2.0)),
    "pairing-own": (
        LogitPairing(partner="b", weight=2.0, source="own"),
        lambda p, q: pairing(p, p, q, 2.0),
    ),
}


def called(loss, own, other):
    return loss(own, Y, other) if getattr(loss, "partner", None) else loss(own, Y)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_loss_and_its_slopes_to_both_logits_are_those_of_its_formula(logits, name):
    loss, formula = FORMULAS[name]
    found, written = (logits.clone().requires_grad_() for _ in range(2))
    value, expected = called(loss, found[0], found[1]), formula(*written.softmax(2))
    torch.testing.assert_close(value, expected)
    value.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(found.grad, written.grad)


ALL = [CrossEntropy(label_smoothing=0.1), Margin(), DLR(), KL(), MART()]
ALL += [LogitPairing(partner="b"), LogitPairing(partner="b", source="own")]


@pytest.mark.parametrize("loss", ALL, ids=repr)
@pytest.mark.parametrize("size", [0.0, 60.0, 1e4])
def test_losses_and_slopes_are_finite_where_the_network_is_sure_or_knows_nothing(
    logits, loss, size
):
    own, other = (size * logits.float()).requires_grad_()
    value = called(loss, own, other)
    value.sum().backward()
    assert value.isfinite().all()


def test_two_pairings_with_opposite_sources_differ_by_their_cross_entropy_alone(logits):
    near, far = logits
    from_near = LogitPairing(partner="far", source="own")(near, Y, far)
    from_far = LogitPairing(partner="near")(far, Y, near)
    plain = F.cross_entropy(near, Y, reduction="none") - F.cross_entropy(far, Y, reduction="none")
    torch.testing.assert_close(from_near - from_far, plain)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LogitPairing(), "LogitPairing needs the field 'partner'."),
        (lambda: KL(partner=3), "KL.partner should be a valid string, not 3."),
        (lambda: MART(wight=1.0), "MART has no field 'wight'. Did you mean 'weight'?"),
        (lambda: MART(weight=-1.0), "MART.weight should be greater than or equal to 0, not -1.0."),
        (lambda: CrossEntropy(label_smoothing=1.0), "CrossEntropy.label_smoothing should be less"),
        (lambda: LogitPairing(partner="b", source="b"), "LogitPairing.source should be 'partner'"),
    ],
)
def test_a_field_of_a_loss_that_is_wrong_is_named(make, message):
    with pytest.raises(FieldError) as refused:
        make()
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize(
    ("losses", "message", "mend"),
    [
        ({"rt": Margin()}, "there is a loss for 'rt', which is not an objective.", "natural, pgd"),
        (KL(), "the loss of 'natural' looks at its own logits as those", '{"pgd": KL()}'),
        ({"pgd": PairLoss(kl, "pgd")}, "the loss of 'pgd' looks at its own", "one of natural."),
        ({"pgd": KL(partner="naturl")}, "the loss of 'pgd' looks at the logits of 'naturl', which "
         "is not an objective. Did you mean 'natural'?", "one of natural."),
    ],
)  # fmt: skip
def test_a_loss_or_a_partner_that_is_not_there_is_named_with_those_there_are(losses, message, mend):
    with pytest.raises(DefinitionError) as refused:
        objective_losses(losses, ("natural", "pgd"))
    assert refused.value.message.startswith(message)
    assert mend in refused.value.hint


NEEDS_POSITIVE = [
    FAMO(),
    DWA(),
    GradNorm(),
    UncertaintyWeighting(),
    MGDA(normalize="loss+"),
    TwoMoment(target="each"),
    Sampled(rule="dwa"),
]


@pytest.mark.parametrize("rule", NEEDS_POSITIVE, ids=repr)
@pytest.mark.parametrize(
    "loss", [Margin(), DLR(), margin, {"pgd": DLR()}], ids=["margin", "dlr", "function", "table"]
)
def test_a_rule_of_ratios_or_logarithms_refuses_a_loss_that_may_be_negative(rule, loss):
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    threats = {"pgd": PGD(epsilon=0.1, step_size=0.05, steps=1)}
    x, y = torch.rand(4, 1, 8, 8), torch.arange(4)
    settings = StepSettings(loss=loss)
    with pytest.raises(DefinitionError) as refused:
        train_step(network, optimizer, threats, rule, x, y, settings)
    assert f"the scalarizer {rule.name!r} needs positive losses, but the loss of" in str(
        refused.value
    )
    train_step(network, optimizer, threats, Average(), x, y, settings)
