"""Preferences drawn for each step: where they lie, what they plan, and that draws repeat."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import FieldError, InputError
from moat.preferences import on_the_line, simplex_row
from moat.scalarizers import RandomPreference
from moat.scalarizers.random_preference import preference_at

NAMES = ("natural", "a", "b", "c")
WEIGHTED = {"type": "weighted", "preference": {"natural": 0.2, "a": 1.2, "b": 0.6, "c": 0}}
KINDS = [
    {},
    {"parts": 1},
    {"draw": "levels", "levels": (0, 0.5, 1)},
    {"draw": "dirichlet"},
    {"draw": "dirichlet", "concentration": 0.01},
]


def drawn(rule, count=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(count):
        plan = rule.plan(NAMES, 8, generator)
        found.append((rule.preference, plan, rule.weights(NAMES)))
    return found


@pytest.mark.parametrize("keys", KINDS, ids=str)
@pytest.mark.parametrize("rule", ["average", "sampled", WEIGHTED], ids=str)
def test_a_preference_is_on_the_simplex_and_what_has_no_weight_is_not_planned(keys, rule):
    for preference, plan, weights in drawn(RandomPreference(rule=rule, **keys)):
        assert (preference >= 0).all()
        assert preference.sum().item() == pytest.approx(1)
        assert not plan[preference == 0].any()
        assert not weights[~plan].any()
        assert weights.sum().item() == pytest.approx(1)
        if rule != "sampled":
            assert torch.equal(plan, preference > 0)
            assert torch.allclose(weights, preference)
        else:
            assert plan[1:].sum() <= 1


def test_the_line_goes_from_natural_to_the_rule_and_is_drawn_uniformly_part_by_part():
    rule = RandomPreference(parts=4)
    points = torch.stack([1 - preference[0] for preference, *_ in drawn(rule, 80)])
    assert torch.equal((points.view(-1, 4) * 4).long(), torch.arange(4).expand(20, 4))
    assert points.mean().item() == pytest.approx(0.5, abs=0.03)
    weighted = RandomPreference(rule=WEIGHTED)
    assert weighted.at(0, NAMES).tolist() == [1, 0, 0, 0]
    assert weighted.at(1, NAMES).tolist() == pytest.approx([0.1, 0.6, 0.3, 0])
    assert weighted.at(0.5, NAMES).tolist() == pytest.approx([0.55, 0.3, 0.15, 0])


@pytest.mark.parametrize("each", ["step", "example"])
def test_the_drawn_threat_stands_for_all_on_average(each):
    rule = RandomPreference(rule={"type": "sampled", "each": each}, draw="levels", levels=(0.6,))
    mean = torch.stack([weights for *_, weights in drawn(rule, 300)]).mean(0)
    assert mean.tolist() == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=0.07)


@pytest.mark.parametrize("keys", KINDS, ids=str)
def test_equal_generators_draw_equally_whatever_was_drawn_before(keys):
    rule, used = RandomPreference(rule="sampled", **keys), RandomPreference(rule="sampled", **keys)
    used.plan(NAMES, 3, torch.Generator().manual_seed(5))
    used.update(None)  # the step ended, with fewer parts than there are
    for one, other in zip(drawn(rule, 12), drawn(used, 12), strict=True):
        assert all(map(torch.equal, one, other))


def test_the_expected_plan_is_the_mean_of_many():
    levels = {"draw": "levels", "levels": (0, 0.5, 1)}
    assert RandomPreference(**levels).expected_plan(NAMES).tolist() == pytest.approx(
        [2 / 3] * 4, abs=1e-3
    )
    sampled = RandomPreference(rule="sampled", **levels)
    assert sampled.expected_plan(NAMES).tolist() == pytest.approx([2 / 3, *[2 / 9] * 3], abs=1e-3)
    assert RandomPreference(rule="sampled").expected_plan(NAMES).tolist() == pytest.approx(
        [1, *[1 / 3] * 3], abs=1e-3
    )


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"rule": "max"}, "the rule 'max' has no fixed weights"),
        ({"rule": {"type": "sampled", "rule": "robust-error"}}, "the rule 'robust-error' has no"),
        ({"draw": "levels"}, r"draw = 'levels' and levels = \[\] do not belong together"),
        ({"levels": (0.5,)}, r"draw = 'line' and levels = \[0.5\] do not belong together"),
        ({"draw": "levels", "levels": (1.5,)}, "should be less than or equal to 1"),
        ({"draw": "dirichlet", "concentration": 0}, "should be greater than 0"),
        ({"concentration": 3}, "concentration = 3 has no effect with draw = 'line'"),
        ({"rule": "two-moment"}, "the rule 'two-moment' has no fixed weights"),
        ({"rule": "weighted"}, "needs the field 'preference'"),
        ({"parts": 0}, "should be greater than 0"),
    ],
)
def test_fields_that_do_not_fit_are_refused(keys, text):
    with pytest.raises(FieldError, match=text):
        RandomPreference(**keys)


@pytest.mark.parametrize("at", [-0.1, 1.1, float("nan"), True])
def test_a_point_outside_the_line_is_refused(at):
    with pytest.raises(InputError, match=r"at is .*, not a number from 0 to 1"):
        on_the_line(at, torch.tensor([0.0, 1.0]))


@given(weights=st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda w: sum(w) > 0.01))
def test_a_preference_by_name_is_its_row_whatever_the_order(weights):
    shares = [weight / sum(weights) for weight in weights]
    table = dict(zip(NAMES, shares, strict=True))
    backwards = dict(reversed(table.items()))
    assert simplex_row(backwards, NAMES).tolist() == pytest.approx(shares)
    assert preference_at(table, RandomPreference(), NAMES).tolist() == pytest.approx(shares)
