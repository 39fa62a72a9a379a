"""Fixed weights by name, and the numbers that every rule takes by name."""

import pytest
import torch

from moat.errors import DefinitionError, FieldError
from moat.scalarizers import SmoothTchebycheff, Tchebycheff, Weighted

TAKE_A_PREFERENCE = pytest.mark.parametrize("rule", [Weighted, Tchebycheff, SmoothTchebycheff])


def test_the_weights_stand_in_the_order_of_the_objectives(names):
    rule = Weighted(preference={"rt": 3, "flow": 0.5, "pgd": 1, "natural": 2})
    assert rule.weights(names).tolist() == [2, 1, 0.5, 3]
    assert not rule.simplex


def test_divided_by_their_sum_they_lie_on_the_simplex(names):
    rule = Weighted(preference={"rt": 3, "flow": 1, "pgd": 4}, normalize=True)
    assert rule.weights(names).tolist() == [0, 0.5, 0.125, 0.375]
    assert rule.simplex
    assert Weighted(preference={"pgd": 0.7, "rt": 0.3}).simplex


@TAKE_A_PREFERENCE
def test_what_weighs_nothing_is_neither_searched_nor_measured(rule, names):
    chosen = rule(preference={"pgd": 1, "flow": 0, "rt": 2})
    assert chosen.plan(names, 5).tolist() == [False, True, False, True]


@TAKE_A_PREFERENCE
@pytest.mark.parametrize(
    ("preference", "message"),
    [
        (
            {"pgd": 1, "flwo": 1, "rt": 1},
            "preference names 'flwo', which is not an objective. Did you mean 'flow'?\n"
            "  The objectives: natural, pgd, flow, rt.",
        ),
        (
            {"natural": 1, "pgd": 1, "rt": 1},
            "preference has no number for the objective 'flow'.\n"
            "  Write one, as in preference = { flow = 1.0 }; 0 leaves the objective out.",
        ),
    ],
)
def test_a_preference_of_other_objectives_is_refused(rule, preference, message, names):
    for asked in (rule.plan, rule.require_objectives):
        with pytest.raises(DefinitionError) as refused:
            asked(rule(preference=preference), *((names, 5) if asked is rule.plan else (names,)))
        assert str(refused.value) == message


@TAKE_A_PREFERENCE
@pytest.mark.parametrize(
    ("preference", "message"),
    [
        ({"pgd": 0, "rt": 0.0}, "gives at least one objective a number above 0"),
        ({}, "gives at least one objective a number above 0"),
        ({"pgd": -1.0}, "preference.pgd should be greater than or equal to 0"),
        ({"pgd": float("inf")}, r"preference.pgd should be at most 1e\+36 in size"),
        ({"pgd": "much"}, "preference.pgd should be a valid number"),
        (0.5, "preference should be a valid dictionary"),
    ],
)
def test_a_preference_that_is_none_is_refused(rule, preference, message):
    with pytest.raises(FieldError, match=message):
        rule(preference=preference)


def test_losses_of_ones_own_are_weighed_by_their_names():
    losses = {"depth": torch.tensor(2.0), "labels": torch.tensor(0.5)}
    assert Weighted(preference={"labels": 0.25, "depth": 3}).weights(losses).tolist() == [3, 0.25]
    with pytest.raises(DefinitionError, match="no number for the objective 'labels'"):
        Weighted(preference={"depth": 3}).weights(losses)
