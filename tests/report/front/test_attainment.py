import json

import numpy as np
import pytest

from moat.report import make_fronts, write_front


@pytest.fixture
def seeds(tmp_path, write):
    """Two settings of three seeds: the first is better by the one, the second by the other."""
    results = tmp_path / "results"
    for seed in range(3):
        for variant, natural, pgd in (("a", 90 - seed, 40 + seed), ("b", 70, 60 + 5 * seed)):
            write(results / f"{variant}{seed}", variant, natural, (pgd, 0, 0, 0), seed=seed)
    return results


def front_of(results, *objectives):
    (front,) = make_fronts(results, objectives=objectives or ("natural", "pgd")).fronts
    return front


def test_the_surfaces_are_what_one_half_and_all_of_the_seeds_attain(seeds):
    found = front_of(seeds).attainment
    assert found.seeds == (0, 1, 2)
    # Seed 2 attains (70, 70), seed 1 (70, 65), seed 0 (70, 60); seed 0 (90, 40), 1 (89, 41), ...
    assert {tuple(p) for p in found.best.tolist()} == {(90, 40), (89, 41), (88, 42), (70, 70)}
    assert {tuple(p) for p in found.median.tolist()} == {(89, 40), (88, 41), (70, 65)}
    assert {tuple(p) for p in found.worst.tolist()} == {(88, 40), (70, 60)}


def test_each_surface_lies_within_the_one_before(seeds):
    found = front_of(seeds).attainment
    for inner, outer in ((found.worst, found.median), (found.median, found.best)):
        for point in inner:
            assert (outer >= point).all(1).any()


def test_one_seed_or_none_in_common_has_no_surfaces(seeds, write):
    assert front_of(seeds / "a0").attainment is None
    write(seeds / "c", "c", 80, (50, 0, 0, 0), seed=7)
    assert front_of(seeds).attainment is None


def test_three_objectives_have_surfaces_and_four_have_none(seeds):
    assert front_of(seeds, "natural", "pgd", "flow").attainment.best.shape[1] == 3
    assert front_of(seeds, "natural", "pgd", "flow", "rt").attainment is None


def test_they_stand_in_the_json(seeds, tmp_path):
    write_front(make_fronts(seeds, objectives=("natural", "pgd")), tmp_path)
    told = json.loads((tmp_path / "front.json").read_text("utf-8"))
    found = front_of(seeds).attainment
    assert told["attainment"]["seeds"] == [0, 1, 2]
    np.testing.assert_allclose(told["attainment"]["median"], found.median)
    (a,) = [one for one in told["settings"] if one["name"] == "a"]
    assert (a["seeds"], len(a["runs"])) == ([0, 1, 2], 3)
    assert a["mean"] == {"natural accuracy": pytest.approx(89), "pgd": pytest.approx(41)}
    assert a["low"]["pgd"] < 41 < a["high"]["pgd"]
    assert 0 <= a["non_dominated"] <= 1
