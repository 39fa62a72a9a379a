from dataclasses import replace

import pytest

from moat.errors import PlotError
from moat.outcomes import Column, accuracy
from moat.records import Relationship
from moat.report.plots.relationship import draw_relationship, series_of
from moat.report.plots.sweeps import swept as points_across

FIGURE_3 = Relationship(
    across="scalarizer.r", variant="pareto", zero="natural", threats=("flow", "rt")
)


def drawn(runs, figure=FIGURE_3):
    return draw_relationship(runs, "digits_pareto", figure)


def test_a_line_is_a_threat_at_a_strength_across_the_swept_key(swept, runs_of):
    runs = runs_of(swept)
    figure = drawn(runs)
    (axes,) = figure.axes
    assert [list(line.get_xdata()) for line in axes.lines] == [[0, 0.5, 1, 2]] * 4
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == [
        "flow, 2 iterations",
        "flow, 4 iterations",
        "rt, 2 iterations",
        "rt, 4 iterations",
    ]
    assert axes.get_xlabel() == "r"
    assert axes.get_ylabel() == "conditional accuracy (%)"
    assert len(axes.collections) == 4  # a band each


def test_the_accuracy_is_that_among_what_was_right_unless_all_are_asked_for(swept, runs_of):
    runs = runs_of(swept)
    points = next(column for column in runs.settings if column.name == "pareto r=2.0").points
    outcomes = [point.outcomes for point in points]
    for measure, conditional in (("conditional", True), ("accuracy", False)):
        figure = drawn(
            runs,
            Relationship(
                across="scalarizer.r",
                variant="pareto",
                zero=None,
                threats=("flow",),
                measure=measure,
            ),
        )
        expected = [accuracy(o, Column("flow", 4), conditional=conditional) for o in outcomes]
        last = figure.axes[0].lines[-1].get_ydata()[-1]
        assert last == pytest.approx(sum(expected) / 3)
    assert figure.axes[0].get_ylabel() == "accuracy (%)"
    assert "of all test examples" in figure.texts[-1].get_text().replace("\n", " ")


def test_the_first_threat_is_red_the_second_blue_and_dashed_light_to_dark(swept, runs_of):
    from matplotlib.colors import to_rgb

    weak, strong, weak_rt, strong_rt = drawn(runs_of(swept)).axes[0].lines
    for line in (weak, strong):
        red, _, blue = to_rgb(line.get_color())
        assert red > blue
        assert line.get_linestyle() == "-"
    for line in (weak_rt, strong_rt):
        red, _, blue = to_rgb(line.get_color())
        assert blue > red
        assert line.get_linestyle() == "--"
    for one, other in ((weak, strong), (weak_rt, strong_rt)):
        assert sum(to_rgb(one.get_color())) > sum(to_rgb(other.get_color()))
        assert one.get_marker() != other.get_marker()


def test_more_than_two_threats_have_a_panel_each(swept, runs_of):
    figure = drawn(runs_of(swept), Relationship(across="scalarizer.r", variant="pareto"))
    assert [axes.get_title() for axes in figure.axes] == ["pgd", "flow", "rt", "integrated"]
    three = Relationship(across="scalarizer.r", variant="pareto", threats=("pgd", "flow", "rt"))
    assert len(drawn(runs_of(swept), three).axes) == 3


def test_threats_that_the_protocol_lacks_are_left_out(swept, runs_of):
    figure = drawn(
        runs_of(swept), Relationship(across="scalarizer.r", variant="pareto", threats=("flow", "x"))
    )
    assert len(figure.axes[0].lines) == 2
    with pytest.raises(PlotError) as caught:
        drawn(
            runs_of(swept),
            Relationship(across="scalarizer.r", variant="pareto", threats=("x", "y")),
        )
    assert str(caught.value) == (
        "this protocol evaluates none of x, y.\n  evaluated: pgd, flow, rt, integrated"
    )


def test_radii_ensembles_and_single_strengths_are_named_for_what_they_are(
    tmp_path, write, judged_any_way, runs_of
):
    judged_any_way["threats"]["grid"] = {"type": "rt-grid", "at_steps": [1]}
    for r in (1.0, 2.0):
        write(tmp_path / str(r), "pareto", 98, (40, 30, 20, 9), r=r, protocol=judged_any_way)
    figure = drawn(runs_of(tmp_path), Relationship(across="scalarizer.r", variant="pareto"))
    named = [text.get_text().strip() for text in figure.legends[0].get_texts()]
    assert list(filter(None, named)) == [
        *("ce, 5 iterations", "dlr, 5 iterations", "flow, ε 0.031", "flow, ε 0.3"),
        *("grid", "strong"),
    ]


def test_what_was_not_searched_is_no_line(tmp_path, write, runs_of):
    write(tmp_path / "a", "pareto", 98, (40, 30, 20, 10), r=1.0, union_only=True)
    with pytest.raises(PlotError) as caught:
        drawn(runs_of(tmp_path), Relationship(across="scalarizer.r", variant="pareto"))
    assert str(caught.value) == (
        "no threat has an accuracy at its strengths.\n"
        "  An evaluation with union_only has no score for a single threat."
    )


def test_one_run_is_one_point(tmp_path, write, runs_of):
    write(tmp_path / "a", "pareto", 98, (40, 30, 20, 10), r=1.0)
    runs = runs_of(tmp_path)
    across = points_across(runs, "digits_pareto", "pareto", "scalarizer.r")
    first, *_ = series_of(runs, across, ["flow"], conditional=False)
    assert (first.threat, first.strength, first.values) == ("flow", "2", ((30.0,),))
    assert len(drawn(runs, Relationship(across="scalarizer.r", variant="pareto")).axes) == 4


def test_a_band_is_the_interval_of_the_seeds_and_without_three_there_is_none(swept, runs_of):
    runs = runs_of(swept)
    across = points_across(runs, "digits_pareto", "pareto", "scalarizer.r")
    for conditional in (False, True):
        for line in series_of(runs, across, ["flow", "rt"], conditional):
            for values, band in zip(line.values, line.bands, strict=True):
                assert band.low < min(values) < max(values) < band.high
    fewer = replace(runs.settings[1], rows=runs.settings[1].rows[:2])
    alone = replace(across, columns=(fewer,), values=(0.5,))
    assert {line.bands for line in series_of(runs, alone, ["flow"], False)} == {(None,)}
