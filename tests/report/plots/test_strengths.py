import pytest

from moat.errors import PlotError
from moat.report.plots.strengths import draw_strengths


def test_a_panel_is_a_threat_and_begins_at_the_natural_accuracy(swept, runs_of):
    figure = draw_strengths(runs_of(swept))
    assert [axes.get_title() for axes in figure.axes] == ["pgd", "flow", "rt", "integrated"]
    pgd = figure.axes[0]
    assert len(pgd.lines) == 5
    last = pgd.lines[-1]  # pgd-at, seeds 0, 1, 2: natural 97, 96, 95, and 61, 62, 63
    assert list(last.get_xdata()) == [0, 2, 4]
    assert list(last.get_ydata()) == pytest.approx([96, 61, 61])
    assert [label.get_text() for label in pgd.get_xticklabels()] == ["0", "2", "4"]
    assert pgd.get_xlabel() == "iterations of the search"
    assert len(pgd.collections) == 5  # a band each
    assert "bands: 95 % intervals over test examples and seeds" in figure.texts[
        -1
    ].get_text().replace("\n", " ")


def test_a_threat_is_drawn_by_what_its_strengths_are(tmp_path, write, judged_any_way, runs_of):
    judged_any_way["threats"]["grid"] = {"type": "rt-grid", "at_steps": [1]}
    write(tmp_path / "a", "natural", 98, (40, 30, 20, 10), protocol=judged_any_way)
    figure = draw_strengths(runs_of(tmp_path))
    ce, _, flow, grid = figure.axes
    assert (ce.get_xlabel(), flow.get_xlabel()) == ("iterations of the search", "radius ε")
    assert list(flow.lines[0].get_xdata()) == [0, 0.031, 0.3]
    assert [label.get_text() for label in grid.get_xticklabels()] == ["natural", "searched"]
    assert grid.get_xlabel() == ""
    assert len(ce.collections) == 0


def test_what_was_not_searched_for_every_example_is_left_out(tmp_path, write, runs_of):
    write(tmp_path / "a", "natural", 98, (40, 30, 20, 10), union_only=True)
    with pytest.raises(PlotError) as caught:
        draw_strengths(runs_of(tmp_path))
    assert str(caught.value) == (
        "no threat has an accuracy at its strengths.\n"
        "  An evaluation with union_only has no score for a single threat."
    )


def test_too_long_a_sweep_is_represented_by_a_few_of_its_points(tmp_path, write, runs_of):
    write(tmp_path / "natural", "natural", 98, (40, 30, 20, 10))
    for place in range(20):
        write(tmp_path / str(place), "pareto", 97, (40, 30, 20, 10), r=float(place))
    figure = draw_strengths(runs_of(tmp_path))
    assert len(figure.axes[0].lines) == 5
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["natural", "pareto r=0.0", "pareto r=6.0", "pareto r=13.0", "pareto r=19.0"]
    assert "Sweeps show 4 points." in figure.texts[-1].get_text().replace("\n", " ")
