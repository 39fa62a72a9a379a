import numpy as np
import pytest

from moat.errors import InputError
from moat.races import Design, race_looks, verdicts_of

NOT_FINITE = "the scores of 'b' have a value that is not finite."
NAMES = ("base", "one", "two", "three")


def scores_of(draw, effects, seeds=12, deviation=1.0):
    """Return scores of rules that share the luck of a seed, as paired runs do."""
    shared = draw.normal(200, 10, seeds)
    return {
        name: (shared + effect + deviation * draw.standard_normal(seeds)).tolist()
        for name, effect in zip(NAMES, effects, strict=False)
    }


def verdicts(scores, design, baseline=""):
    found = verdicts_of(race_looks(scores, design, baseline))
    return {name: pair.verdict for name, pair in found.items()}


@pytest.mark.parametrize(("rules", "baseline"), [(2, "base"), (4, "base"), (3, ""), (4, "")])
def test_rules_of_equal_worth_are_told_apart_as_often_as_the_level_says(rules, baseline):
    draw = np.random.default_rng(3)
    wrong = [
        {*verdicts(scores_of(draw, [0.0] * rules), Design(), baseline).values()}
        & {"better", "worse"}
        for _ in range(600)
    ]
    share = np.mean([bool(each) for each in wrong])
    assert share <= 0.065
    if rules == 2:
        assert share >= 0.035


def test_a_pair_within_the_margin_leaves_no_more_of_the_level_to_the_others():
    draw, design = np.random.default_rng(13), Design(margin=1.5)
    wrong = []
    for _ in range(600):
        scores = scores_of(draw, [0.0, 0.0, 0.0], deviation=0.2)
        scores["two"] = (np.array(scores["two"]) + 20 * draw.standard_normal(12)).tolist()
        found = verdicts(scores, design, "base")
        assert found["one"] == "within the margin"
        wrong.append(found["two"] in ("better", "worse"))
    assert np.mean(wrong) <= 0.04  # at half the level


def test_planted_effects_are_found_and_the_equal_rule_stays():
    draw, right = np.random.default_rng(4), []
    for _ in range(60):
        found = verdicts(scores_of(draw, [0.0, 4.0, -4.0, 0.0]), Design(), "base")
        right.append(found["one"] == "better" and found["two"] == "worse")
    assert np.mean(right) > 0.93


def test_a_rule_within_the_margin_is_said_to_be_so_and_one_beyond_is_not():
    draw = np.random.default_rng(5)
    design = Design(margin=3.0)
    inside = [verdicts(scores_of(draw, [0, 0.5], deviation=0.5), design, "base") for _ in range(60)]
    edge = [verdicts(scores_of(draw, [0, 3.0], deviation=0.5), design, "base") for _ in range(400)]
    assert np.mean([v["one"] == "within the margin" for v in inside]) > 0.97
    assert np.mean([v["one"] == "within the margin" for v in edge]) <= 0.05


@pytest.mark.parametrize("exact", [False, True])
def test_a_copy_of_a_rule_is_within_the_margin_and_a_far_one_is_decided_as_soon_as_can_be(exact):
    draw = np.random.default_rng(6)
    scores = scores_of(draw, [0.0, 50.0])
    scores["copy"] = list(scores["base"])
    looks = race_looks(scores, Design(first=6, margin=0.5, exact=exact), "base")
    found = verdicts_of(looks)
    assert (found["copy"].verdict, found["copy"].seeds) == ("within the margin", 6)
    assert found["one"].verdict == "better"
    assert found["one"].seeds == (6 if not exact else 8)
    assert looks[-1].is_last


def test_what_is_decided_trains_no_more_and_needs_no_further_score():
    scores = {
        "base": [0.0, 0.1, -0.1, 0.2, 0.0],
        "far": [50.0, 50.2, 49.7],
        "near": [0.2, -0.1, 0.4, 0.3, -0.2],
    }
    looks = race_looks(scores, Design(first=3, last=5), "base")
    assert [look.racing for look in looks] == [("base", "near"), ("base", "near"), ()]
    assert [pair.rule for pair in looks[0].pairs] == ["far", "near"]
    assert [pair.rule for pair in looks[1].pairs] == ["near"]
    assert race_looks({name: of[:2] for name, of in scores.items()}, Design(), "base") == []


def test_without_a_baseline_each_rule_is_compared_with_the_leader():
    scores = {"a": [1.0, 2.0, 1.0, 1.5], "b": [9.0, 8.3, 9.4, 9.0], "c": [8.8, 8.4, 9.2, 8.7]}
    looks = race_looks(scores, Design(first=3, last=4), "")
    assert {look.against for look in looks} == {"b"}
    assert {pair.rule: pair.verdict for pair in looks[0].pairs} == {"a": "worse", "c": "open"}
    assert looks[0].racing == ("b", "c")
    assert looks[-1].is_last


def test_the_interval_excludes_zero_exactly_where_the_verdict_says_so():
    draw = np.random.default_rng(8)
    for exact in (False, True):
        design = Design(first=6, last=9, exact=exact)
        for effect in (0.0, 0.7, 1.4):
            for look in race_looks(scores_of(draw, [0, effect], seeds=9), design, "base"):
                (pair,) = look.pairs
                assert pair.low <= pair.difference <= pair.high
                assert (pair.low > 0 or pair.high < 0) == (pair.verdict in ("better", "worse"))


def test_a_pair_turned_is_the_same_pair_from_the_other_side():
    (look,) = race_looks({"a": [1.0, 2, 3], "b": [8.0, 9, 10.5]}, Design(first=3, last=3), "a")
    (pair,) = look.pairs
    assert (pair.verdict, pair.turned.verdict) == ("better", "worse")
    assert (pair.turned.low, pair.turned.difference) == (-pair.high, -pair.difference)
    assert pair.turned.turned == pair


@pytest.mark.parametrize(
    ("scores", "baseline", "message"),
    [
        ({"a": [1.0]}, "", "a race needs two rules or more."),
        ({"a": [1.0], "b": [1.0, float("nan")]}, "", NOT_FINITE),
        ({"a": [1.0], "b": [float("-inf")]}, "a", NOT_FINITE),
        ({"alpha": [1.0], "b": [1.0]}, "alpa", "no rule is called 'alpa'. Did you mean 'alpha'?"),
    ],
)
def test_a_race_of_one_rule_or_against_an_unknown_one_is_refused(scores, baseline, message):
    with pytest.raises(InputError, match=r".*") as caught:
        race_looks(scores, Design(), baseline)
    assert caught.value.message == message


@pytest.mark.parametrize("first", [2, 3])
@pytest.mark.parametrize("deviation", [0.5, 1.0, 2.0])
def test_scores_on_the_grid_of_few_test_images_hold_the_level(first, deviation):
    draw, grid, wrong = np.random.default_rng(14), 100 / 360, []
    for _ in range(500):
        scores = scores_of(draw, [0.0, 0.0], deviation=deviation * grid)
        scores = {name: (np.round(np.array(of) / grid) * grid) for name, of in scores.items()}
        found = verdicts({name: of.tolist() for name, of in scores.items()}, Design(first), "base")
        wrong.append(found["one"] in ("better", "worse"))
    assert np.mean(wrong) <= 0.065


def test_equal_differences_of_two_seeds_decide_nothing_but_a_large_one_is_found():
    def at_two(ahead):
        scores = {"a": [50.0, 51.25], "b": [50.0 + ahead, 51.25 + ahead]}
        (pair,) = race_looks(scores, Design(first=2, last=2), "a")[0].pairs
        return pair

    assert at_two(0.25).verdict == "open"
    assert at_two(0.25).low < 0 < at_two(0.25).high
    assert at_two(10.0).verdict == "better"


@pytest.mark.parametrize("exact", [False, True])
def test_ties_are_open_without_a_margin(exact):
    scores = {"a": [50.0, 51.25, 49.0] * 3, "b": [50.0, 51.25, 49.0] * 3, "c": [50.0] * 9}
    found = verdicts(scores, Design(last=9, exact=exact), "a")
    assert found == {"b": "open", "c": "open"}


def test_scores_that_are_text_are_refused():
    with pytest.raises(InputError, match="'a' are not numbers"):
        race_looks({"a": ["1", "2", "3"], "b": [1, 2, 3]}, Design(first=3, last=3))
