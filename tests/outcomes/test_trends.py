"""The rank correlation of scores with a strength, and how often its interval misleads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from moat.errors import MoatError
from moat.outcomes import (
    Column,
    Outcomes,
    rank_correlations,
    resampled_scores,
    robustness_score,
    searches_of,
)

COLUMNS = (Column("natural", 0), Column("pgd", 2), Column("pgd", 4))


def outcomes_of(generator, right, held, examples=200, ids=None):
    natural = generator.random(examples) < right
    draws = generator.random(examples)
    values = np.stack([natural, natural & (draws < held), natural & (draws < held / 2)], 1)
    return Outcomes(values.astype(np.int8), COLUMNS, np.arange(examples) if ids is None else ids)


def settings(generator, shares, seeds=1, right=0.9, luck=0.0):
    return [
        {
            seed: outcomes_of(generator, right, np.clip(share + luck * generator.normal(), 0, 1))
            for seed in range(seeds)
        }
        for share in shares
    ]


def pgd(outcomes):
    return searches_of(outcomes, "pgd")


def last(outcomes):
    return searches_of(outcomes, "pgd")[-1:]


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6)), min_size=3, max_size=9).filter(
        lambda pairs: all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
    )
)
def test_it_is_scipys_rank_correlation_ties_included(pairs):
    strengths, scores = zip(*pairs, strict=True)
    found = float(rank_correlations(strengths, scores))
    assert found == pytest.approx(spearmanr(strengths, scores).statistic)


def test_equal_scores_have_no_trend():
    assert rank_correlations([1, 2, 3], [[50, 50, 50], [1, 2, 3]]).tolist() == [0, 1]


@pytest.mark.parametrize("conditional", [False, True])
def test_a_score_is_that_of_the_reports(conditional):
    places = settings(np.random.default_rng(0), [0.2, 0.5], seeds=3)
    found = resampled_scores(places, pgd, conditional=conditional, draws=50)
    expected = [
        np.mean([robustness_score(o, "pgd", conditional=conditional) for o in seeds.values()])
        for seeds in places
    ]
    np.testing.assert_allclose(found.found, expected)
    assert found.drawn.shape == (50, 2)


def test_a_clear_rise_and_a_clear_fall_have_intervals_on_their_side_of_0():
    for shares, direction in (([0.2, 0.4, 0.6, 0.8], "rises"), ([0.8, 0.6, 0.4, 0.2], "falls")):
        found = resampled_scores(settings(np.random.default_rng(1), shares), last)
        assert found.trend([1, 2, 3, 4]).direction == direction


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_where_nothing_rises_the_interval_rarely_leaves_0_out(seeds):
    generator, wrong = np.random.default_rng(2), 0
    luck = 0.0 if seeds == 1 else 0.05
    for _ in range(60):
        places = settings(generator, [0.5] * 5, seeds, luck=luck)
        wrong += resampled_scores(places, last, draws=200).trend(range(5)).direction != "open"
    assert wrong <= 6  # of 60: 3 expected at most


def test_two_seeds_have_a_correlation_without_an_interval():
    found = resampled_scores(settings(np.random.default_rng(3), [0.2, 0.5, 0.8], 2), last)
    trend = found.trend([1, 2, 3])
    assert trend.value == 1
    assert np.isnan(trend.low)
    assert trend.direction == "open"


def test_a_run_compared_with_itself_differs_in_no_resample():
    places = settings(np.random.default_rng(4), [0.2, 0.5, 0.8], 3)
    same = resampled_scores(places, last, draws=20)
    apart = same.less(resampled_scores(places, last, draws=20))
    assert not apart.found.any()
    assert not apart.drawn.any()


def test_the_order_of_the_examples_does_not_matter():
    generator = np.random.default_rng(5)
    places = settings(generator, [0.2, 0.5, 0.8])
    order = generator.permutation(200)
    (seed, first), *_ = places[0].items()
    moved = [{seed: Outcomes(first.values[order], COLUMNS, first.ids[order])}, *places[1:]]
    one, other = (resampled_scores(each, last, draws=20).drawn for each in (places, moved))
    np.testing.assert_allclose(one, other)


def test_runs_on_different_examples_are_refused():
    generator = np.random.default_rng(6)
    places = [*settings(generator, [0.5]), {0: outcomes_of(generator, 1, 1, ids=np.arange(1, 201))}]
    with pytest.raises(MoatError) as caught:
        resampled_scores(places, last)
    assert str(caught.value) == (
        "the runs were evaluated on different test examples, so they cannot be compared.\n"
        "  Evaluate them under one protocol: moat evaluate RUN --protocol FILE"
    )
