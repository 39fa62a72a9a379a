import numpy as np
import pytest

from moat.report import interval_table, make_fronts
from moat.report.front.notes import standing_notes
from moat.report.front.uncertainty import _TOGETHER, uncertainty_of
from moat.runs import RunFolder


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
    assert sure.low.tolist() == sure.high.tolist() == [[0, 0], [0, 0]]


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
    run.save_evaluation(arrays | turned, about)
    assert not front_of(tmp_path).uncertainty.high.any()


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
    table = interval_table(front_of(tmp_path))
    names, *_, sure = (list(column.cells) for column in table.columns)
    assert [str(name) for name in names] == ["a", "natural", "near"]
    assert [str(one) for one in sure][:2] == ["100 %", "100 %"]
    spread = [str(cell) for cell in table.columns[2].cells]
    assert spread[0].startswith("80.0 [")
