"""What a scalarizer is: the promises of every registered one, and what is refused."""

import pytest
import torch

from moat.errors import DefinitionError, FieldError, UnknownNameError
from moat.scalarizers import (
    DWA,
    FAMO,
    MGDA,
    Average,
    BatchMax,
    CAGrad,
    LaggedScalarizer,
    Max,
    Nash,
    Natural,
    Random,
    Scalarizer,
    SmoothTchebycheff,
    Softmax,
    Tchebycheff,
    TwoMoment,
    UncertaintyWeighting,
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
    *(TwoMoment(r=0.5, solver="cvxopt"), MGDA(solver="quadprog")),
    *(Softmax(), Softmax(temperature=1e-3, include_natural=True)),
    *(BatchMax(), BatchMax(include_natural=True), Tchebycheff(), Tchebycheff(ideal=0.5)),
    *(SmoothTchebycheff(), SmoothTchebycheff(temperature=100.0, ideal={"natural": 0.1})),
    *(Random(), Random(draw="normal"), Random(include_natural=False)),
    *(UncertaintyWeighting(lr=0.5), UncertaintyWeighting(initial=-1.0)),
    *(DWA(window=1), DWA(window=3, temperature=0.1), FAMO(), FAMO(decay=0.0)),
    *(CAGrad(), CAGrad(c=0.0), CAGrad(c=2.0, rescale="none"), Nash(), Nash(max_norm=0.1)),
]
BY_NAME = [
    Weighted(preference={"natural": 0.2, "threat-1": 0.5, "threat-2": 0.3, "threat-3": 0}),
    Weighted(preference={"threat-1": 5, "threat-2": 3, "threat-3": 0}, normalize=True),
    *(
        rule(preference={"natural": 0.2, "threat-1": 5, "threat-2": 0, "threat-3": 0.3})
        for rule in (Weighted, Tchebycheff, SmoothTchebycheff)
    ),
]


@pytest.mark.parametrize("objectives", [2, 4, 9])
@pytest.mark.parametrize("member", SCALARIZERS, ids=repr)
def test_it_keeps_what_the_conformance_kit_asks(member: Scalarizer, objectives: int):
    check_scalarizer(member, objectives)


@pytest.mark.parametrize("member", BY_NAME, ids=repr)
def test_so_does_one_that_names_its_objectives(member: Scalarizer):
    check_scalarizer(member)


@pytest.mark.parametrize("check", [check_plan, check_weights, check_state])
def test_so_does_the_papers_literal_procedure_but_for_its_rounding(check):
    # Where r cannot be reached, cvxopt's last iterate magnifies rounding, the order of a sum too.
    check(TwoMoment(r=5.0, infeasible="as-cvxopt"))


def test_every_registered_one_is_among_those_checked():
    own = {entry.name for entry in registry.entries() if entry.origin == "moat"}
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
    with pytest.raises(DefinitionError, match="as the scalarizer 'mean' but is no Scalarizer"):

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
