import csv
import json

import numpy as np
import pytest

from moat.outcomes import seed_moves
from moat.report import draw_front, interval_table, make_fronts, write_front
from moat.report.front.notes import standing_notes
from moat.report.front.uncertainty import _TOGETHER, uncertainty_of
from moat.runs import RunFolder
from moat.sheets import dicts_of


def front_of(results, **how):
    (front,) = make_fronts(results, **how).fronts
    return front


def place_of(front, name):
    return [setting.name for setting in front.settings].index(name)


def test_an_interval_is_about_two_standard_errors_to_either_side(tmp_path, write):
    write(tmp_path / "a", "a", 80, (40, 20, 20, 20))
    front = front_of(tmp_path, objectives=("natural", "pgd"))
    error = 100 * np.sqrt([0.8 * 0.2 / 1000, 0.4 * 0.6 / 1000])
    sure = front.uncertainty
    assert sure.low[0] == pytest.approx([80, 40] - 1.96 * error, abs=0.4)
    assert sure.high[0] == pytest.approx([80, 40] + 1.96 * error, abs=0.4)
    assert sure.on_front.tolist() == [1.0]


def test_runs_that_fell_on_the_same_examples_stay_paired(tmp_path, write):
    # The same 1,000 examples, of which b withstands all that a does and ten more.
    write(tmp_path / "n", "natural", 90, (0, 0, 0, 0))
    write(tmp_path / "a", "a", 80, (40, 20, 20, 20))
    write(tmp_path / "b", "b", 81, (40, 20, 20, 20))
    front = front_of(tmp_path)
    a, b = (front.uncertainty.on_front[place_of(front, name)] for name in "ab")
    assert b == 1.0
    assert a < 0.01  # only where a resample has none of the ten


def test_equal_runs_are_both_on_the_front_in_every_resample(tmp_path, write):
    for name in "ab":
        write(tmp_path / name, name, 80, (40, 21, 33, 20))
    front = front_of(tmp_path)
    assert front.uncertainty.on_front.tolist() == [1.0, 1.0]
    assert front.duplicates == [["a", "b"]]
    assert "Equal in every objective: a, b." in standing_notes(front)


def test_seeds_that_differ_widen_the_interval(tmp_path, write):
    for seed, score in enumerate((30, 40, 50)):
        write(tmp_path / f"wide{seed}", "wide", 80, (score, 20, 20, 0), seed=seed)
        write(tmp_path / f"narrow{seed}", "narrow", 80, (40, 20, 20, 0), seed=seed)
    front = front_of(tmp_path, objectives=("natural", "pgd"))
    width = front.uncertainty.high - front.uncertainty.low
    wide, narrow = place_of(front, "wide"), place_of(front, "narrow")
    assert width[wide, 1] > 2 * width[narrow, 1]
    assert width[wide, 0] == pytest.approx(width[narrow, 0])
    assert front.values[wide, 1] == pytest.approx(40)


def test_universal_scores_are_resampled_with_their_natural_runs(tmp_path, write):
    write(tmp_path / "n", "natural", 90, (30, 0, 0, 0))
    write(tmp_path / "a", "a", 90, (30, 0, 0, 0))
    front = front_of(tmp_path)
    sure = front.uncertainty
    natural, a = place_of(front, "natural"), place_of(front, "a")
    assert sure.low[natural].tolist() == sure.high[natural].tolist() == [0, 0]  # it is its own
    unseen = 1.96**2 / (1000 + 1.96**2)  # of no example, Wilson's upper end
    np.testing.assert_allclose(sure.high[a], [300 * unseen, 100 * unseen], rtol=1e-4)
    np.testing.assert_allclose(sure.low[a], -sure.high[a])


def test_the_same_runs_give_the_same_intervals(study):
    one, other = front_of(study).uncertainty, front_of(study).uncertainty
    np.testing.assert_array_equal(one.low, other.low)
    np.testing.assert_array_equal(one.on_front, other.on_front)


def test_many_runs_are_resampled_block_by_block_to_the_same_intervals(study, monkeypatch):
    whole = front_of(study)
    monkeypatch.setattr("moat.report.front.uncertainty._TOGETHER", 3000)
    assert _TOGETHER > 3000
    cut = uncertainty_of(whole.settings, whole.objectives)
    np.testing.assert_allclose(cut.low, whole.uncertainty.low, atol=1e-6)


def test_examples_in_another_order_are_the_same_examples(tmp_path, write):
    write(tmp_path / "n", "natural", 90, (30, 10, 0, 0))
    write(tmp_path / "a", "a", 90, (30, 10, 0, 0))
    run = RunFolder(tmp_path / "a")
    arrays, about = run.load_evaluation()
    turned = {name: arrays[name][::-1] for name in ("outcomes", "ids")}
    run.save_evaluation(arrays | turned, about.as_table())
    found = front_of(tmp_path).uncertainty
    assert found.high.max() < 1.2  # of three scores that differ in no example


def test_other_examples_have_no_intervals_and_the_notes_say_so(tmp_path, write):
    write(tmp_path / "a", "a", 90, (30, 10, 0, 0))
    write(tmp_path / "b", "b", 90, (20, 10, 0, 0), examples=500)
    front = front_of(tmp_path)
    assert front.uncertainty is None
    assert interval_table(front) is None
    assert standing_notes(front)[0].startswith("No intervals: the runs, or their natural runs,")


def test_the_table_shows_members_and_whoever_may_be_one(tmp_path, write):
    write(tmp_path / "n", "natural", 90, (0, 0, 0, 0))
    write(tmp_path / "a", "a", 80, (40, 20, 20, 20))
    write(tmp_path / "near", "near", 79.9, (40, 20, 20, 20))
    write(tmp_path / "far", "far", 40, (10, 10, 10, 10))
    rows = interval_table(front_of(tmp_path)).sheet.rows
    assert [name for name, *_ in rows] == ["a", "natural", "near"]
    assert [sure for *_, sure in rows][:2] == ["100 %", "100 %"]
    assert rows[0][2].startswith("80.0 [")


def write_seeds(write, folder, variant, scores, seeds=None, **how):
    for seed, score in zip(seeds or range(len(scores)), scores, strict=True):
        write(folder / f"{variant}{seed}", variant, 80, (score, 20, 20, 0), seed=seed, **how)


def test_of_two_seeds_nothing_is_said_and_of_more_students_t(tmp_path, write):
    write_seeds(write, tmp_path, "two", (30, 40))
    write_seeds(write, tmp_path, "three", (33, 35, 37))
    front = front_of(tmp_path, objectives=("natural", "pgd"))
    sure, two, three = front.uncertainty, place_of(front, "two"), place_of(front, "three")
    assert np.isnan([sure.low[two], sure.high[two]]).all()
    assert sure.over[two] is None
    assert sure.over[three] == "examples and seeds"
    reach = 4.303 * 2 / 3**0.5  # of 2 degrees of freedom
    examples = 196 * (0.35 * 0.65 / 1000) ** 0.5
    assert sure.high[three, 1] - 35 == pytest.approx(np.hypot(reach, examples), rel=0.02)
    assert sure.on_front is None


def test_an_unknown_interval_is_a_dash_a_null_and_no_bar(tmp_path, write):
    write_seeds(write, tmp_path, "two", (30, 40))
    write_seeds(write, tmp_path, "three", (33, 35, 37))
    report = make_fronts(tmp_path, objectives=("natural", "pgd"))
    (front,) = report.fronts
    first, second = dicts_of(interval_table(front).sheet)
    assert (first["over"], second["over"]) == ("examples and seeds", "-")
    assert second["pgd"] == "35.0"
    assert first["non-dominated"] == second["non-dominated"] == "-"
    draw_front(front)
    write_front(report, tmp_path)
    told = json.loads((tmp_path / "front.json").read_text("utf-8"))
    two = told["settings"][1]
    assert (two["low"], two["interval_over"], two["non_dominated"]) == (
        *({"natural accuracy": None, "pgd": None}, None, None),
    )
    with (tmp_path / "front.csv").open() as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert rows["two seed 0"]["low.pgd"] == rows["two seed 0"]["non_dominated"] == ""


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ({"a": 1, "b": 1}, "over test examples only, without the variance of training."),
        ({"a": 3, "b": 3}, "over test examples and seeds."),
        ({"a": 3, "b": 1}, "test examples and seeds; for one seed, over test examples only."),
        ({"a": 3, "b": 2}, "test examples and seeds; none for two seeds."),
    ],
)
def test_the_notes_say_what_the_intervals_speak_of(tmp_path, write, seeds, words):
    for variant, count in seeds.items():
        write_seeds(write, tmp_path, variant, [40 + seed for seed in range(count)])
    front = front_of(tmp_path, objectives=("natural", "pgd"))
    notes = " ".join(standing_notes(front))
    assert words in notes
    known = len(set(seeds.values())) == 1
    assert (front.uncertainty.on_front is not None) == known
    assert ("unknown until every setting has 3 seeds" in notes) != known


def test_the_luck_of_a_natural_run_that_seeds_share_is_not_in_their_gains(tmp_path, write):
    write_seeds(write, tmp_path, "a", (40, 41, 42))
    write_seeds(write, tmp_path, "natural", (10,))
    words = "gains exclude the variance of the natural runs"
    assert words in " ".join(standing_notes(front_of(tmp_path)))
    write_seeds(write, tmp_path, "natural", (11, 12), seeds=(1, 2))
    assert words not in " ".join(standing_notes(front_of(tmp_path)))


def test_of_equally_good_settings_few_seeds_name_none_with_certainty(tmp_path, write):
    """The share is that of a t test: over studies it is as often below 5 % as chance has it."""
    write_seeds(write, tmp_path, "a", (40, 41, 42))
    settings = front_of(tmp_path, objectives=("natural", "pgd")).settings
    luck = np.random.default_rng(0).normal(0, 2, (2000, 3))  # of the difference of two settings
    (drawn,) = seed_moves([setting.seeds for setting in settings], 2000)
    mean = luck.mean(1, keepdims=True)
    below = (mean + (luck - mean) @ drawn.T < 0).mean(1)
    for share in (0.05, 0.2, 0.5, 0.8, 0.95):
        assert np.mean(below < share) == pytest.approx(share, abs=0.03)
