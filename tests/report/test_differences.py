import json
from dataclasses import replace

import numpy as np
import pytest

from moat.errors import FrontError
from moat.frames import results
from moat.races import examples_error
from moat.report import make_fronts, make_scoreboards
from moat.report.differences import differences_sheet, differences_table, differences_to
from moat.report.front.data import csv_text, json_text
from moat.report.intervals import added_by
from moat.report.page import write_page
from moat.report.scores.rows import scores_csv, scores_rows
from moat.report.scores.sheets import board_markdown
from moat.report.settings import Setting


@pytest.fixture
def front(golden):
    return make_fronts(golden / "digits_pareto").fronts[0]


def setting_of(front, name):
    return next(setting for setting in front.settings if setting.name == name)


def test_a_difference_is_paired_by_seed_and_its_error_is_of_seeds_and_test_images(front):
    found, base = front.differences, setting_of(front, "average-at")
    assert found.baseline.name == "average-at"
    assert base.first.where not in found.of
    for name in ("max-at", "natural", "pareto r=0.7"):
        setting = setting_of(front, name)
        for score in ("natural", "total", "union"):
            apart = found.beside(setting)[score]
            values = [
                getattr(one.point, score) - getattr(other.point, score)
                for one, other in zip(setting.rows, base.rows, strict=True)
            ]
            assert apart.value == pytest.approx(np.mean(values))
            assert apart.error >= np.std(values, ddof=1) / 3**0.5 - 1e-9


def test_the_error_of_one_seed_is_that_of_the_paired_images_and_far_below_the_unpaired_one(golden):
    front = make_fronts(golden / "demo").fronts[0]
    total = front.objectives[0]  # the universal score: its contributions differ by a constant run
    one, base = setting_of(front, "max-at"), front.differences.baseline
    ours, theirs = (added_by(setting.rows, [total])[0, 0] for setting in (one, base))
    apart = front.differences.beside(one)["total"]
    assert apart.error == pytest.approx(examples_error(ours - theirs))
    unpaired = np.hypot(examples_error(ours), examples_error(theirs))
    assert apart.error < unpaired / 2


def test_two_seeds_have_a_difference_and_no_error_and_none_shared_have_neither(front):
    base, other = setting_of(front, "average-at"), setting_of(front, "max-at")
    two = Setting("max-at", other.rows[:2])
    apart = differences_to([base, two]).beside(two)["total"]
    assert apart.error is None
    assert apart.text == f"{apart.value:+.1f}"
    alone = differences_to(
        [Setting("average-at", base.rows[:1]), Setting("max-at", other.rows[1:])]
    )
    assert set(alone.of[other.rows[1].point.where].values()) == {None}
    sheet = differences_sheet(alone, [Setting("max-at", other.rows[1:])])
    assert set(sheet.rows[0][1:]) == {"-"}


def test_the_usual_baseline_is_an_average_of_threats_or_else_the_first_that_trains_against_any(
    front,
):
    names = {setting.name: setting for setting in front.settings}
    chosen = ["natural", "pgd-at", "max-at"]
    assert differences_to([names[name] for name in chosen]).baseline.name == "pgd-at"
    assert differences_to([names["natural"]]) is None
    assert differences_to([names["average-at"]]) is None
    assert differences_to([names[name] for name in [*chosen, "average-at"]]).baseline.name == (
        "average-at"
    )


@pytest.mark.parametrize("at", [0, {"natural": 1.0}])
def test_the_natural_end_of_a_conditioned_network_is_not_the_usual_baseline(front, at):
    names = {setting.name: setting for setting in front.settings}
    end, *others = (
        Setting(name, tuple(with_point(row, where) for row in names[name].rows))
        for name, where in (("pgd-at", at), ("max-at", {"natural": 0.5, "pgd": 0.5}))
    )
    assert differences_to([end, *others]).baseline.name == "max-at"
    assert differences_to([end, names["natural"]]) is None


def with_point(row, at):
    trains = {**row.point.trains, "conditioned": {"by": "film", "at": at}}
    return replace(row, point=replace(row.point, trains=trains))


def test_a_baseline_can_be_named_and_an_unknown_one_is_refused_with_the_nearest(golden):
    folder = golden / "digits_pareto"
    front = make_fronts(folder, baseline="max-at").fronts[0]
    board = make_scoreboards(folder, baseline="max-at").boards[0]
    assert front.differences.baseline.name == board.differences.baseline.name == "max-at"
    for make in (make_fronts, make_scoreboards):
        with pytest.raises(FrontError) as caught:
            make(folder, baseline="maxat")
        assert caught.value.where == "baseline"
        assert caught.value.message == "no setting is called 'maxat'. Did you mean 'max-at'?"


def test_every_view_has_the_same_differences(golden, tmp_path):
    folder = golden / "digits_pareto"
    report = make_fronts(folder)
    front, made = report.fronts[0], make_scoreboards(folder)
    board = made.boards[0]
    frame = results(folder).front().differences
    told = json.loads(json_text(front, []))
    assert told["difference_from"] == "average-at"
    page = write_page(made, folder, tmp_path / "page.html").read_text("utf-8")
    rows = {(row["label"], row["score"]): row for row in scores_rows(board)}
    for setting in front.settings:
        for score, apart in front.differences.beside(setting).items():
            row = rows[setting.first.label, score]
            stored = next(one for one in told["settings"] if one["name"] == setting.name)
            assert row["paired_difference"] == stored["difference"][score] == apart.value
            assert row["paired_difference_error"] == stored["difference_error"][score]
            assert apart.text in board_markdown(board)
            assert apart.text in page
            found = frame.filter((frame["setting"] == setting.name) & (frame["score"] == score))
            assert found["difference"].to_list() == [apart.value]
            assert found["error"].to_list() == [apart.error]
    header = csv_text(front).splitlines()[0]
    assert "difference.total" in header
    assert "difference_error.union" in header
    assert "paired_difference" in scores_csv(board).splitlines()[0]


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_the_table_fits_a_terminal_and_keeps_the_total(front, width):
    table = differences_table(front.differences, front.settings, width)
    assert table.width <= width
    assert "total" in table.sheet.headings
