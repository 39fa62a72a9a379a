import numpy as np
import pytest

from moat.races import Design, can_decide, fewest_seeds, race_looks, verdicts_of


@pytest.mark.parametrize("level", [0.5, 0.2, 0.05, 0.01])
@pytest.mark.parametrize("looks", [(2, 3), (3, 5), (2, 6), (6, 6), (4, 9)])
def test_a_race_can_decide_if_and_only_if_differences_as_large_as_you_like_are_told(level, looks):
    design = Design(*looks, level=level, exact=True)
    size = 1e6 + np.random.default_rng(0).random(design.last)
    found = race_looks({"a": size.tolist(), "b": [0.0] * design.last}, design, "b")
    assert can_decide(design) == (verdicts_of(found)["a"].verdict == "better")


@pytest.mark.parametrize(("level", "pairs"), [(0.5, 1), (0.05, 1), (0.05, 3), (0.0005, 2)])
def test_the_fewest_seeds_are_the_first_last_look_that_can_decide(level, pairs):
    fewest = fewest_seeds(Design(2, 2, level=level, exact=True), pairs)
    for last in range(2, fewest + 2):
        assert can_decide(Design(2, last, level=level, exact=True), pairs) == (last >= fewest)


def test_a_level_below_the_resolution_is_reached_by_no_number_of_seeds():
    assert fewest_seeds(Design(3, 12, level=1e-5, exact=True)) is None
    assert fewest_seeds(Design(3, 12, level=1e-5)) == 3
