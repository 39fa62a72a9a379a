"""Coverage: of what says 95 %, how often the true score lies within. Exact, or seeded and quick."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binom, binomtest

from moat.outcomes import mean_interval, seeds_interval, share_interval

COUNTS = (50, 100, 359, 1000)
SHARES = (0, 0.003, 0.01, 0.1, 0.5, 0.9, 0.995, 1)
NOISE = 0.02  # of a simulated coverage, three standard errors of 1,000 draws


def covered(ends, truth):
    low, high = ends
    return np.mean((low <= truth + 1e-9) & (truth <= high + 1e-9))


@pytest.mark.parametrize("examples", COUNTS)
@pytest.mark.parametrize("share", SHARES)
def test_an_accuracy_is_covered_in_93_to_97_percent_and_near_the_ends_in_more(examples, share):
    held = np.arange(examples + 1)
    low, high = share_interval(held, examples)
    within = (low <= 100 * share + 1e-9) & (100 * share <= high + 1e-9)
    coverage = binom.pmf(held, examples, share)[within].sum()
    assert coverage > 0.93
    assert coverage < 0.975 or share not in (0.1, 0.5, 0.9)


@pytest.mark.parametrize("examples", COUNTS)
def test_no_accuracy_at_all_is_covered_much_less(examples):
    held = np.arange(examples + 1)
    low, high = share_interval(held, examples)
    shares = np.linspace(0, 1, 301)[:, None]
    within = (low <= 100 * shares) & (100 * shares <= high)
    coverage = (binom.pmf(held, examples, shares) * within).sum(1)
    assert coverage.min() > 0.915
    assert 0.94 < coverage.mean() < 0.96


def test_away_from_the_ends_it_is_wilsons_interval():
    for held, examples in ((0, 30), (30, 30), (4, 80), (76, 80), (3, 50), (180, 359)):
        wilson = binomtest(held, examples).proportion_ci(method="wilson")
        found = share_interval(held, examples)
        np.testing.assert_allclose(found, [100 * wilson.low, 100 * wilson.high], atol=1e-9)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_accuracy_lies_within_its_interval_which_has_a_width(counts):
    held, examples = counts
    low, high = share_interval(held, examples)
    assert 0 <= low <= 100 * held / examples <= high <= 100
    assert high - low > 100 / (examples + 4)
    turned = share_interval(examples - held, examples)
    np.testing.assert_allclose(turned, [100 - high, 100 - low], atol=1e-9)


def test_of_no_example_nothing_is_known():
    assert [float(end) for end in share_interval(0, 0)] == [0, 100]
    assert [float(end) for end in mean_interval([], (-100, 100))] == [-100, 100]


def test_contributions_at_the_bounds_are_a_share():
    held = np.arange(359) < 357
    for most in (100, 300):
        found = mean_interval(most * held, (0, most))
        np.testing.assert_allclose(found, most / 100 * np.array(share_interval(357, 359)))


@pytest.mark.parametrize("value", [-100, -50, 0, 25, 100])
@pytest.mark.parametrize("examples", [1, 2, 359])
def test_equal_contributions_have_an_interval_with_a_width(value, examples):
    low, high = mean_interval(np.full(examples, value), (-100, 100))
    assert -100 <= low <= value <= high <= 100
    assert high - low > 100 / (examples + 4)


def test_what_cannot_vary_has_no_width():
    assert [float(end) for end in mean_interval(np.zeros(9), (0, 0))] == [0, 0]


@given(
    st.lists(st.sampled_from([0, 100 / 3, 50, 200 / 3, 100, 250, 300]), min_size=1, max_size=60),
    st.floats(0.01, 10),
)
def test_an_interval_holds_the_mean_and_scales_with_the_scores(added, scale):
    each = np.array(added)
    low, high = mean_interval(each, (0, 300))
    assert 0 <= low <= each.mean() <= high <= 300
    assert low < high
    scaled = mean_interval(scale * each, (0, 300 * scale))
    np.testing.assert_allclose(scaled, [scale * low, scale * high], rtol=1e-6, atol=1e-9)
    turned = mean_interval(300 - each, (0, 300))
    np.testing.assert_allclose(turned, [300 - high, 300 - low], rtol=1e-6, atol=1e-6)


def fallen(generator, shares, alike, shape):
    """Return who withstands threats with these shares, outcomes alike to this correlation.

    Of shape (draws, examples, threats).
    """
    draws, examples = shape
    hard = generator.standard_normal((draws, examples, 1))
    own = generator.standard_normal((draws, examples, len(shares)))
    limit = ndtri(np.array(shares))
    return (np.sqrt(alike) * hard + np.sqrt(1 - alike) * own < limit).astype(float)


@pytest.mark.parametrize("examples", COUNTS)
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("alike", [0, 0.8])
def test_a_total_of_correlated_threats_is_covered(examples, share, alike):
    generator = np.random.default_rng(0)
    shape = (1000 if examples < 1000 else 500, examples)
    held = fallen(generator, (share,) * 3, alike, shape)
    coverage = covered(mean_interval(100 * held.sum(2), (0, 300)), 300 * share)
    assert coverage > 0.93 - NOISE / 2
    assert coverage < 0.97 + NOISE or share not in (0.1, 0.5, 0.9)


@pytest.mark.parametrize("examples", [100, 359])
@pytest.mark.parametrize("alike", [0, 0.8])
def test_a_total_of_unequal_threats_is_covered_though_some_hardly_fall(examples, alike):
    shares = (0.997, 0.9, 0.02, 0.5)
    held = fallen(np.random.default_rng(1), shares, alike, (1000, examples))
    coverage = covered(mean_interval(100 * held.sum(2), (0, 400)), 100 * sum(shares))
    assert 0.93 < coverage < 0.975 + NOISE / 2


@pytest.mark.parametrize("examples", COUNTS)
@pytest.mark.parametrize(
    "shares",
    [(0, 0.003), (0.01, 0.01), (0.1, 0.1), (0.5, 0.55), (0.9, 0.995), (1, 0.97), (1, 1), (1, 0.95)],
)
@pytest.mark.parametrize("alike", [0, 0.9])
def test_a_paired_difference_is_covered(examples, shares, alike):
    generator = np.random.default_rng(2)
    shape = (1000 if examples < 1000 else 500, examples)
    held = fallen(generator, shares, alike, shape)
    found = mean_interval(100 * (held[..., 1] - held[..., 0]), (-100, 100))
    assert covered(found, 100 * (shares[1] - shares[0])) > 0.93 - NOISE / 2


def of_seeds(generator, share, luck, alike, shape):
    """Return who withstands, (draws, seeds, examples), and the share in the mean over luck.

    `luck` is the deviation of a seed's share.
    """
    draws, seeds, examples = shape
    shares = (share + luck * generator.standard_normal((draws, seeds))).clip(0, 1)
    hard = generator.standard_normal((draws, 1, examples))
    own = generator.standard_normal((draws, seeds, examples))
    limit = ndtri(shares)[..., None]
    return 100.0 * (np.sqrt(alike) * hard + np.sqrt(1 - alike) * own < limit)


@pytest.mark.parametrize("seeds", [1, 3, 5, 10])
@pytest.mark.parametrize(
    ("share", "luck", "examples"),
    [
        *[(0.5, 0.02, 2000), (0.9, 0.02, 359), (0.1, 0.01, 1000), (0.5, 0, 100)],
        *[(0.995, 0, 359), (0.995, 0.002, 1000), (0.01, 0.003, 100), (1, 0, 50)],
    ],
)
def test_a_mean_over_few_seeds_is_covered(seeds, share, luck, examples):
    generator = np.random.default_rng(3)
    draws = 600 if seeds * examples < 5000 else 300
    luck = 0 if seeds == 1 else luck  # of which one seed says nothing
    held = of_seeds(generator, share, luck, 0.7, (draws, seeds, examples))
    ends = seeds_interval(np.swapaxes(held, 0, 1), (0, 100))
    coverage = covered(ends, 100 * share)
    assert coverage > 0.93 - 1.5 * NOISE
    assert coverage < 0.995 or luck == 0 or share > 0.99 or share < 0.05


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_luck_of_two_points_over_ten_thousand_examples_is_covered(seeds):
    generator = np.random.default_rng(4)
    shares = 0.5 + 0.02 * generator.standard_normal((400, seeds, 1))
    within = [
        covered(seeds_interval(100.0 * (generator.random((seeds, 10_000)) < each), (0, 100)), 50)
        for each in shares
    ]
    assert 0.93 - NOISE / 2 < np.mean(within) < 0.97 + NOISE / 2


def test_of_two_seeds_there_is_none_and_of_one_it_is_that_of_the_examples():
    held = 100.0 * (np.random.default_rng(5).random((2, 80)) < 0.7)
    assert all(isnan(end) for end in seeds_interval(held, (0, 100)))
    assert seeds_interval(held[:1], (0, 100)) == mean_interval(held[0], (0, 100))


@pytest.mark.parametrize("seeds", [3, 4, 10])
def test_seeds_that_agree_leave_the_interval_of_the_examples(seeds):
    held = 100.0 * (np.random.default_rng(6).random(200) < 0.7)
    same = np.tile(held, (seeds, 1))
    np.testing.assert_allclose(
        seeds_interval(same, (0, 100)), mean_interval(held, (0, 100)), rtol=1e-9
    )
    equal = np.stack([np.roll(held, shift) for shift in range(seeds)])  # other examples fell
    low, high = seeds_interval(equal, (0, 100))
    assert high - low > 2


def test_an_interval_stays_on_its_scale():
    held = np.zeros((3, 60))
    held[0], held[1] = 100, 100
    assert [float(end) for end in seeds_interval(held, (0, 100))] == [0, 100]
