import numpy as np
import pytest

from moat.outcomes import NATURAL_COLUMN, seeds_interval, share_contributions
from moat.report import read_points
from moat.report.front.objectives import ACCURACY, POINTS, SCORES, objective_of
from moat.report.intervals import bounds_among, same_examples, seeds_share_interval, spoken_of


def test_what_an_interval_speaks_of_depends_on_the_number_of_seeds():
    found = [spoken_of(seeds) for seeds in (1, 2, 3, 10)]
    assert found == ["examples", None, "examples and seeds", "examples and seeds"]


def test_a_share_of_the_examples_is_in_percent_and_what_adds_or_subtracts_shares_is_in_points():
    units = {name: objective_of(name).unit for name in (*SCORES, "pgd")}
    points = {name for name, unit in units.items() if unit == POINTS}
    assert points == {"total", "universal", "sacrificed"}
    assert {unit for name, unit in units.items() if name not in points} == {ACCURACY}
    assert objective_of("sacrificed").better == "percentage points, lower is better"
    assert objective_of("union").better == "%, higher is better"


@pytest.fixture
def points(tmp_path, write):
    for seed, score in enumerate((40, 44, 48)):
        write(tmp_path / str(seed), "a", 80, (score, 20, 20, 0), seed=seed)
    return sorted(read_points(tmp_path)[0], key=lambda point: point.seed)


@pytest.mark.parametrize("conditional", [False, True])
def test_a_share_has_the_interval_of_its_seeds_whatever_the_order_of_the_examples(
    points, conditional
):
    column, *_ = points[0].outcomes.of("pgd")
    found = seeds_share_interval(points, [column], conditional)
    mean = 55 if conditional else 44
    assert found.low < mean - 4.3 * 4 / 3**0.5 < mean < mean + 4.3 * 4 / 3**0.5 < found.high
    assert seeds_share_interval(points[:2], [column], conditional) is None
    assert seeds_share_interval(points[:1], [column], conditional) is None


def test_contributions_to_a_conditional_share_have_it_as_their_mean(points):
    column, *_ = points[0].outcomes.of("pgd")
    outcomes = points[1].outcomes
    added = share_contributions(outcomes, [column], conditional=True)
    assert added.mean() == pytest.approx(55)
    among = outcomes.withstood([NATURAL_COLUMN])
    right = outcomes.withstood([column])[among].mean()
    assert added.std() ** 2 == pytest.approx(1e4 * right * (1 - right) / among.mean())
    low, high = bounds_among(points, conditional=True)
    assert low <= added.min() < added.max() <= high


def test_among_no_example_a_conditional_share_is_unknown(tmp_path, write):
    for seed in range(3):
        write(tmp_path / str(seed), "a", 0, (0, 0, 0, 0), seed=seed)
    points, _ = read_points(tmp_path)
    column, *_ = points[0].outcomes.of("pgd")
    assert np.isnan(share_contributions(points[0].outcomes, [column], conditional=True)).all()
    assert seeds_share_interval(points, [column], conditional=True) is None


def test_seeds_on_other_examples_have_no_interval(points, tmp_path, write):
    write(tmp_path / "other" / "3", "a", 80, (40, 20, 20, 0), seed=3, examples=500)
    others, _ = read_points(tmp_path / "other")
    assert same_examples(points)
    assert not same_examples([*points, *others])
    assert seeds_share_interval([*points, *others], [NATURAL_COLUMN]) is None


def test_an_interval_over_seeds_that_are_alike_is_that_of_the_examples(points):
    found = seeds_share_interval(points, [NATURAL_COLUMN])
    held = share_contributions(points[0].outcomes, [NATURAL_COLUMN])
    low, high = seeds_interval([held], (0, 100))
    assert (found.low, found.high) == pytest.approx((float(low), float(high)))
