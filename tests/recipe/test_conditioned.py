"""The table of a conditioned network: its runs, their identity, and what is refused."""

from pathlib import Path

import pytest

from moat.errors import RecipeError
from moat.recipe import plan_runs, read
from moat.scalarizers import RandomPreference

SMALL = Path(__file__).parents[1] / "small.toml"
FILM = """
[[variant]]
name = "film"
threats = ["pgd", "flow"]
scalarizer = "sampled"
conditioned = { at = [0.5, "1/4", { natural = 0.3, flow = 0.7 }], hidden = 8 }
"""


@pytest.fixture
def film(tmp_path):
    """Plan a study of one conditioned variant, with a piece of its text replaced."""

    def planned(old="", new=""):
        text = SMALL.read_text("utf-8").partition("[[variant]]")[0] + FILM
        assert old in text
        file = tmp_path / "study.toml"
        file.write_text(text.replace(old, new, 1), "utf-8")
        return plan_runs(read(file))

    return planned


def test_each_point_is_a_run_and_all_start_from_the_first(film):
    plans = film()
    assert [plan.label for plan in plans] == [
        *("film at=0.5", "film at=0.25", "film at=0.3natural+0.7flow")
    ]
    assert [plan.is_point for plan in plans] == [False, True, True]
    trunk = plans[0]
    for point in plans[1:]:
        assert point.start.place == trunk.path
        assert point.start.training == trunk.train_hash
        assert point.training == trunk.training  # no leg is shortened
    assert len({plan.train_hash for plan in plans}) == 3


def test_a_preference_is_named_in_the_order_of_the_objectives_without_weights_of_0(film):
    first = film()
    other = film("natural = 0.3, flow = 0.7", "pgd = 0, flow = 0.7, natural = 0.3")
    assert [plan.label for plan in other] == [plan.label for plan in first]
    assert [plan.train_hash for plan in other] == [plan.train_hash for plan in first]
    assert first[2].conditioned.at == {"natural": 0.3, "flow": 0.7}


def test_a_further_point_changes_no_run_and_another_first_one_changes_all(film):
    hashes = {plan.label: plan.train_hash for plan in film()}
    more = {plan.label: plan.train_hash for plan in film("], hidden", ", 1], hidden")}
    assert hashes.items() <= more.items()
    other = {plan.label: plan.train_hash for plan in film("at = [0.5,", "at = [0, 0.5,")}
    assert not set(hashes.values()) & set(other.values())
    wider = {plan.train_hash for plan in film("hidden = 8", "hidden = 9")}
    assert not set(hashes.values()) & wider


@pytest.mark.parametrize(
    ("scalarizer", "rule"),
    [
        ('"sampled"', "sampled"),
        ('"average"', "average"),
        ('{ type = "sampled", each = "example" }', "sampled"),
        ('{ type = "weighted", preference = { natural = 0, pgd = 1, flow = 2 } }', "weighted"),
        ('{ type = "random-preference", rule = "sampled", draw = "dirichlet" }', "sampled"),
        ('"random-preference"', "average"),
    ],
)
def test_the_scalarizer_is_the_robust_end_of_drawn_preferences(film, scalarizer, rule):
    for plan in film('"sampled"', scalarizer):
        assert isinstance(plan.scalarizer, RandomPreference)
        assert plan.scalarizer.rule.name == rule


def test_each_value_of_a_sweep_has_a_network_of_its_own(film):
    plans = film('scalarizer = "sampled"', 'sweep = { "optimizer.lr" = [0.1, 0.2] }')
    assert [plan.is_point for plan in plans] == [False, True, True] * 2
    assert [plan.start and plan.start.place for plan in plans[3:]] == [
        *(None, plans[3].path, plans[3].path)
    ]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("0.5,", "1.5,", r"conditioned.at.0: should be a number from 0 \(natural\) to 1 \(robust"),
        ("0.5,", "true,", "conditioned.at.0: should be a number from 0"),
        ("0.5,", "{},", "conditioned.at.0: should be a number from 0"),
        ("0.5,", "0.5, 0.5,", "conditioned.at: the point 0.5 is named twice"),
        ("flow = 0.7", "flow = 0.6", "conditioned.at: the weights of the preference sum to 0.9"),
        ("flow = 0.7", "flow = 2.7", "sum to 3, not to 1.\n  Divide each by 3"),
        ("0.5,", "0, { natural = 1 },", "the points 0 and 1natural are the same"),
        ("0.5,", "1, { flow = 0.5, pgd = 0.5 },", "the points 1 and 0.5pgd.0.5flow are the same"),
        ("0.5,", "{ flow = 0.7, natural = 0.3 },", "the point 0.3natural.0.7flow is named twice"),
        ("flow = 0.7", "rt = 0.7", "conditioned.at: the preference names 'rt', no objective"),
        ("hidden = 8", "hiden = 8", "conditioned.hiden: unknown key. Did you mean 'hidden'"),
        ("hidden = 8", "hidden = 0", "conditioned.hidden: should be greater than 0"),
        ("hidden = 8", 'by = "filn"', "conditioned.by: should be 'film', not 'filn'"),
        ('"sampled"', '"max"', "the rule 'max' has no fixed weights for the robust end"),
        ('"sampled"', '"two-moment"', "film.scalarizer: the rule 'two-moment' has no fixed"),
        ('"sampled"', '"natural"', "film.scalarizer: the rule 'natural' has no fixed weights"),
        ('"sampled"', '"averag"', "film.scalarizer.type: no scalarizer is called 'averag'"),
        (
            '"sampled"',
            '{ type = "random-preference", parts = 129 }',
            "scalarizer.parts: parts = 129 is too many for a batch of 256.*\n.*parts = 128",
        ),
        ('threats = ["pgd", "flow"]', "", "weighs threats, but this variant names none"),
        (
            'scalarizer = "sampled"',
            'path = { "optimizer.lr" = [0.1, 0.2] }',
            "conditioned: a conditioned network has its points in `at`, not on a path",
        ),
        (
            "[training]",
            "[training.overfitting]\n[training]",
            "training.overfitting: a network that is trained for drawn preferences has an accuracy",
        ),
    ],
)
def test_a_table_that_does_not_hold_is_refused_with_its_place(film, old, new, text):
    with pytest.raises(RecipeError, match=text):
        film(old, new)
