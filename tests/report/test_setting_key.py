"""Runs that differ in their seeds alone are one setting, whatever run each starts from."""

from dataclasses import replace

import pytest

from moat.records.start import StartRecord
from moat.report import read_points
from moat.report.setting_key import setting_keys


@pytest.fixture
def seeds(golden):
    """Three runs of one setting."""
    points, _ = read_points(golden / "digits_pareto" / "average-at")
    return points


def leg(before, label, start="fresh"):
    """A leg that starts from a run, as its record has it."""
    place = f"digits_pareto/{before.label}/seed-{before.seed}"
    trains = {**before.trains, "start": {"training": before.train_hash, "optimizer": start}}
    record = StartRecord(place=place, weights="0", training=before.train_hash)
    named = f"{label} {before.train_hash}"
    return replace(before, label=label, trains=trains, start=record, train_hash=named)


def test_a_path_s_legs_are_one_setting_over_the_seeds(seeds):
    first = [leg(trunk, "path rho=0.3") for trunk in seeds]
    second = [leg(one, "path rho=0.6") for one in first]
    keys = setting_keys([*seeds, *first, *second])
    for same in (seeds, first, second):
        assert len({keys[point] for point in same}) == 1
    assert len(set(keys.values())) == 3


def test_legs_without_their_trunks_are_one_setting_by_their_place(seeds):
    assert len(set(setting_keys([leg(trunk, "path rho=0.3") for trunk in seeds]).values())) == 1


def test_a_leg_of_another_trunk_is_another_setting(seeds):
    other = replace(seeds[1], trains={**seeds[1].trains, "training": {"epochs": 9}})
    trunks = [seeds[0], other, seeds[2]]
    legs = [leg(trunk, "path rho=0.3") for trunk in trunks]
    keys = setting_keys([*trunks, *legs])
    assert keys[legs[0]] == keys[legs[2]] != keys[legs[1]]


def test_legs_of_another_optimizer_are_another_setting(seeds):
    legs = [leg(seeds[0], "leg"), leg(seeds[1], "leg", start="kept")]
    assert len(set(setting_keys([*seeds, *legs]).values())) == 3


def test_a_path_of_many_legs_has_short_keys_and_needs_no_deep_stack(seeds):
    legs = seeds[:2]
    for number in range(1200):
        legs += [leg(before, f"path {number}") for before in legs[-2:]]
    keys = setting_keys(reversed(legs))
    assert all(keys[one] == keys[other] for one, other in zip(legs[::2], legs[1::2], strict=True))
    assert len(set(keys.values())) == 1201
    assert max(map(len, keys.values())) < 100


def test_records_that_lead_round_in_a_circle_have_keys(seeds):
    first = leg(seeds[0], "a")
    second = leg(first, "b")
    circle = replace(first, start=first.start.replace(training=second.train_hash))
    assert len(set(setting_keys([circle, second]).values())) == 2


@pytest.mark.parametrize(
    ("places", "settings"),
    [
        ("results/a/natural/seed-{}", 1),
        ("results/a/r={}/seed-0", 3),  # a sweep of starts, not a start for each seed
        ("weights/of-{}.pth", 1),
        ("weights/same.pth", 3),  # other weights at one place
    ],
)
def test_a_start_at_each_seed_s_own_place_is_one_setting(seeds, places, settings):
    runs = []
    for point in seeds:
        place, digest = places.format(point.seed), f"digest {point.seed}"
        trains = {**point.trains, "start": {"weights": digest, "optimizer": "fresh"}}
        runs.append(replace(point, trains=trains, start=StartRecord(place=place, weights=digest)))
    assert len(set(setting_keys(runs).values())) == settings


def test_a_leg_whose_trunk_is_gone_has_the_setting_of_its_other_seeds(seeds):
    first = [leg(trunk, "path rho=0.3") for trunk in seeds]
    second = [leg(one, "path rho=0.6") for one in first]
    keys = setting_keys([*seeds[:2], *first[:2], *second])
    assert len({keys[point] for point in second}) == 1
    assert keys[second[0]] == setting_keys([*seeds, *first, *second])[second[0]]
