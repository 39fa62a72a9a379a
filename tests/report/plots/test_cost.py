"""A score against its cost: where marks stand, and on which scale."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import PlotError
from moat.report.layout import COLUMN
from moat.report.plots.cost import apart, draw_cost
from moat.report.settings import read_runs


def marks(axes):
    """Return where each setting's mark stands: lines of one point, not the dots of single runs."""
    lines = [line for line in axes.lines if len(line.get_xdata()) == 1]
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in lines]


@given(
    places=st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=20),
    gap=st.floats(0.001, 0.2),
)
def test_marks_stand_apart_in_their_order_and_about_where_they_were(places, gap):
    found = apart(places, gap)
    pairs = sorted(zip(places, found, strict=True))
    assert [place for _, place in pairs] == sorted(found)
    between = [late - early for (_, early), (_, late) in pairwise(pairs)]
    assert all(distance >= gap - 1e-9 for distance in between)
    assert sum(found) == pytest.approx(sum(places), abs=1e-6)
    far = [late - early >= gap for (early, _), (late, _) in pairwise(pairs)]
    if all(far):
        assert found == pytest.approx(places)


def test_a_study_has_a_mark_a_setting_with_its_interval_and_a_dot_a_run(swept, runs_of):
    runs = runs_of(swept)
    figure = draw_cost(runs)
    (axes,) = figure.axes
    assert figure.get_figwidth() == pytest.approx(COLUMN, abs=0.01)
    assert axes.get_xscale() == "log"  # 60 passes beside 840
    drawn = marks(axes)
    assert len(drawn) == len(runs.settings) == 5
    assert drawn[0][0] == pytest.approx(60)
    others = sorted(place for place, _ in drawn[1:])
    assert all(late > early for early, late in pairwise(others))
    dots = [line for line in axes.lines if len(line.get_xdata()) == 3]
    assert len(dots) == 5
    assert len(axes.collections) >= 4  # bars; the natural run's gain over itself has none of width
    assert axes.get_xlabel() == "forwards + backwards for each training image"
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert {"100", "200", "500"} <= set(labels)


def test_settings_of_equal_cost_stand_by_their_score_on_an_axis_without_a_scale(tmp_path, write):
    for score, variant in ((62, "natural"), (50, "pgd-at"), (58, "max-at")):
        passes = 840.0 + score / 10
        write(tmp_path / variant, variant, 95, (40, score, 60, 50), passes=passes)
    ((runs,), _) = read_runs([tmp_path])
    (axes,) = draw_cost(runs).axes
    assert list(axes.get_xticks()) == []
    drawn = sorted(marks(axes))
    assert [score for _, score in drawn] == sorted(score for _, score in drawn)
    assert [place for place, _ in drawn] == [0, 1, 2]
    label = "by score, at 845 to 846.2 passes for an image"
    assert axes.get_xlabel() == label


def test_a_setting_that_was_not_counted_is_left_out_and_told(tmp_path, write):
    for variant, passes in (("natural", 60.0), ("pgd-at", None)):
        write(tmp_path / variant, variant, 95, (40, 50, 60, 50), passes=passes)
    ((runs,), _) = read_runs([tmp_path])
    figure = draw_cost(runs)
    assert len(marks(figure.axes[0])) == 1
    text = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert "1 without counted passes" in text


def test_old_runs_have_no_such_picture(tmp_path, write):
    write(tmp_path / "a", "natural", 95, (40, 50, 60, 50))
    ((runs,), _) = read_runs([tmp_path])
    with pytest.raises(PlotError, match="no run has recorded the passes of its training"):
        draw_cost(runs)
