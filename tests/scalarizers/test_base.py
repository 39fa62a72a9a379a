"""What a scalarizer is: the promises of every registered one, and what is refused."""

from dataclasses import replace

import pytest
import torch

from moat.errors import DefinitionError, FieldError, UnknownNameError
from moat.objectives import LossMatrix, by_entry
from moat.scalarizers import (
    DWA,
    FAMO,
    IMTLG,
    MGDA,
    Aligned,
    Average,
    BatchMax,
    CAGrad,
    GradientScalarizer,
    GradNorm,
    LaggedScalarizer,
    Max,
    Nash,
    Natural,
    PCGrad,
    Random,
    RandomPreference,
    RobustError,
    Sampled,
    Scalarizer,
    SmoothTchebycheff,
    Softmax,
    Tchebycheff,
    TwoMoment,
    UncertaintyWeighting,
    UPGrad,
    Weighted,
    registry,
    scalarizer,
)
from moat.testing import check_plan, check_scalarizer, check_state, check_weights

SCALARIZERS = [
    *(Natural(), Average(), Average(include_natural=True), Max()),
    *(MGDA(normalize=how) for how in ("none", "l2", "loss", "loss+")),
    *(TwoMoment(r=r) for r in (0.0, 0.5, 6.0)),
    *(TwoMoment(rho=rho, window=2) for rho in (0.0, 0.5, 1.0)),
    *(TwoMoment(r=1.0, infeasible="keep-last"), TwoMoment(r=0.5, ceiling=0.5, window=1)),
    *(TwoMoment(target="each"), TwoMoment(target="each", window=1)),
    *(TwoMoment(r=0.5, solver="cvxopt"), MGDA(solver="quadprog")),
    *(Sampled(each=each) for each in ("step", "example")),
    Sampled(rule=TwoMoment(rho=0.5, window=2)),
    RobustError(),
    Sampled(each="example", rule=RobustError(window=2)),
    *(Softmax(), Softmax(temperature=1e-3, include_natural=True)),
    *(BatchMax(), BatchMax(include_natural=True), Tchebycheff(), Tchebycheff(ideal=0.5)),
    *(SmoothTchebycheff(), SmoothTchebycheff(temperature=100.0)),
    *(Random(), Random(draw="normal"), Random(include_natural=False)),
    *(RandomPreference(parts=1), RandomPreference(rule="sampled", draw="dirichlet")),
    RandomPreference(draw="levels", levels=(0, 1), rule=Sampled(each="example")),
    *(UncertaintyWeighting(lr=0.5), UncertaintyWeighting(initial=-1.0)),
    *(DWA(window=1), DWA(window=3, temperature=0.1), FAMO(), FAMO(decay=0.0)),
    *(CAGrad(), CAGrad(c=0.0), CAGrad(c=2.0, rescale="none"), Nash(), Nash(max_norm=0.1)),
    *(IMTLG(), UPGrad(), PCGrad(), Aligned(), GradNorm(), GradNorm(lr=0.5, restoring=0.0)),
]
BY_NAME = [
    TwoMoment(target="each", levels={"natural": 0.5, "threat-3": 2.0}),
    SmoothTchebycheff(ideal={"natural": 0.1, "threat-2": 0.3}),
    Weighted(preference={"natural": 0.2, "threat-1": 0.5, "threat-2": 0.3, "threat-3": 0}),
    Weighted(preference={"threat-1": 5, "threat-2": 3, "threat-3": 0}, normalize=True),
    *(
        rule(preference={"natural": 0.2, "threat-1": 5, "threat-2": 0, "threat-3": 0.3})
        for rule in (Weighted, Tchebycheff, SmoothTchebycheff)
    ),
]


FIRST = {member.name: member for member in reversed(SCALARIZERS)}.values()


@pytest.mark.parametrize(
    ("member", "objectives"),
    [*((one, 4) for one in SCALARIZERS), *((one, 9) for one in FIRST if one.name != "aligned")],
    ids=lambda one: repr(one),
)
def test_it_keeps_what_the_conformance_kit_asks(member: Scalarizer, objectives: int):
    check_scalarizer(member, objectives)


@pytest.mark.parametrize("member", BY_NAME, ids=repr)
def test_so_does_one_that_names_its_objectives(member: Scalarizer):
    check_scalarizer(member)


MEANS = {
    "tiny": [1e-30, 2e-30, 1e-33, 1e-30],
    "huge": [1e30, 2e30, 1e33, 1e30],
    "far apart": [1e-30, 1e30, 1.0, 0.0],
    "equal": [1.0] * 4,
    "zero": [0.0] * 4,
}
GRADIENTS = {
    "tiny": 1e-15 * torch.eye(4),
    "huge": 1e15 * torch.eye(4),
    "far apart": torch.diag(torch.tensor([1e-15, 1e15, 1.0, 0.0])),
    "equal": torch.ones(4, 2),
    "opposed": torch.tensor([[1.0, 0], [-1, 0], [1, 0], [-1, 0]]),
    "dependent": torch.tensor([[1.0, 0], [-1, 2], [0.5, 0.5], [-3, 1]]),
    "zero": torch.zeros(4, 2),
}
HARD = [
    *((MEANS[means], torch.eye(4)) for means in MEANS),
    *((MEANS["equal"], GRADIENTS[gradients]) for gradients in GRADIENTS),
    (MEANS["zero"], GRADIENTS["zero"]),
]


@pytest.mark.parametrize("member", SCALARIZERS, ids=repr)
def test_no_losses_and_no_gradients_make_weights_that_are_not_finite(member, names):
    """In float32, in which a step takes them; on the simplex, where it says so."""
    for means, gradients in HARD:
        rule = replace(member)
        for step in range(3):
            plan = rule.plan(names, 2, torch.Generator().manual_seed(step))
            values = torch.tensor(means)[:, None].expand(4, 2) * (1 + step)
            left_out = ~by_entry(plan, 2)
            values = values.masked_fill(left_out, torch.nan)
            losses = LossMatrix(values, names, correct=values < 1, measured=plan)
            weights = rule.weigh(losses, lambda rows=gradients: rows @ rows.T).float()
            assert weights.isfinite().all(), (means, gradients)
            if rule.simplex:
                assert (weights >= 0).all()
                assert weights.sum(0).flatten().tolist() == pytest.approx(
                    [1.0] * weights[0].numel(), abs=1e-5
                )
            rule.update(losses)


@pytest.mark.parametrize("member", SCALARIZERS, ids=repr)
def test_losses_and_gradients_that_are_not_finite_raise_nothing(member, names):
    """The loop reads the faults of many steps at once, and then says which loss it was."""
    rule = replace(member)
    plan = rule.plan(names, 2, torch.Generator().manual_seed(0))
    values = torch.full((4, 2), torch.nan)
    losses = LossMatrix(values, names, correct=values < 1, measured=plan)
    rule.weigh(losses, lambda: torch.full((4, 4), torch.nan))
    rule.update(losses)


OF_LOSSES = [one for one in SCALARIZERS if "RobustError" not in repr(one)]  # not of accuracies


@pytest.mark.parametrize("member", OF_LOSSES, ids=repr)
def test_a_single_loss_has_a_finite_weight_above_0(member):
    parameter = torch.tensor([0.5, -1.0], requires_grad=True)
    rule = replace(member)
    for _ in range(2):
        weight = rule.weights([parameter.square().sum()], [parameter])
        assert weight.shape == (1,)
        assert weight.isfinite().all()
        assert weight.item() > 0


OF_GRADIENTS = [one for one in SCALARIZERS if isinstance(one, GradientScalarizer)]


@pytest.mark.parametrize("member", OF_GRADIENTS, ids=repr)
def test_the_direction_stays_where_every_gradient_grows_by_the_same_factor(member, names):
    gradients = GRADIENTS["dependent"].double()
    losses, found = LossMatrix(torch.ones(4, 1), names), []
    for size in (1.0, 1e4):
        rule = replace(member)
        rule.plan(names, 1, torch.Generator().manual_seed(0))
        step = rule.weights(size**2 * gradients @ gradients.T, losses) @ gradients
        found.append(step / step.norm().clamp(min=1e-9))
    assert torch.allclose(*found, atol=1e-4)


@pytest.mark.parametrize("check", [check_plan, check_weights, check_state])
def test_so_does_the_papers_literal_procedure_but_for_its_rounding(check):
    # Where r cannot be reached, cvxopt's last iterate magnifies rounding, the order of a sum too.
    check(TwoMoment(r=5.0, infeasible="as-cvxopt"))


def test_every_registered_one_is_among_those_checked():
    own = {entry.name for entry in registry.entries() if entry.origin == "moat-robust"}
    assert own == {member.name for member in SCALARIZERS + BY_NAME}


@pytest.mark.parametrize("member", SCALARIZERS, ids=repr)
def test_its_log_is_plain_numbers(member, names, losses):
    assert all(isinstance(value, (bool, int, float)) for value in member.log().values())
    member.update(losses)
    assert all(isinstance(value, (bool, int, float)) for value in member.log().values())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Average(include_natural="yes"), "include_natural should be a valid boolean"),
        (lambda: Natural(r=1.0), "no field 'r'"),
        (lambda: MGDA(normalize="l1"), r"normalize should be 'none', 'l2', 'loss' or 'loss\+'"),
        (lambda: TwoMoment(r=1.0, window=0), "window should be greater than 0"),
        (lambda: Max(True), "by name"),
    ],
)
def test_a_wrong_field_is_refused_by_name(make, message):
    with pytest.raises(FieldError, match=message):
        make()


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'two-momnt'\. Did you mean 'two-moment'\?"):
        registry.get("two-momnt")


def test_only_a_scalarizer_can_be_declared_as_one():
    with pytest.raises(DefinitionError, match="as the scalarizer 'mean' but is not a Scalarizer"):

        @scalarizer("mean")
        class Mean:
            pass


def test_a_scalarizer_without_weights_cannot_be_made():
    class Unfinished(LaggedScalarizer):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Unfinished()


def test_what_it_does_not_say_is_everything_planned_nothing_seen_and_no_state(names, losses):
    class Half(LaggedScalarizer):
        def weights(self, names):
            return torch.full((len(names),), 1 / len(names))

    member = Half()
    assert member.plan(names, 5).tolist() == [True] * 4
    member.update(losses)
    member.load_state_dict(member.state_dict())
    assert member.state_dict() == {}
    assert member.log() == {}
    assert member.simplex
