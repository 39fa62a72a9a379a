import numpy as np
import pytest

from moat.errors import PlotError
from moat.report.plots.radar import draw_radar


def outlines(axes):
    return [line for line in axes.lines if line.get_marker() != "None"]


def test_a_panel_is_a_variant_and_its_outline_closes_at_the_scores(swept, runs_of):
    figure = draw_radar(runs_of(swept))
    assert [axes.get_title() for axes in figure.axes] == ["natural", "pareto", "pgd-at"]
    (outline,) = outlines(figure.axes[2])
    scores = outline.get_ydata()
    assert scores[0] == scores[-1] == pytest.approx(96)  # natural accuracy, at the top
    assert scores[1] == pytest.approx(61)  # pgd, clockwise
    assert outline.get_xdata()[1] == pytest.approx(2 * np.pi / 6)
    assert figure.axes[2].get_theta_direction() == -1


def test_every_panel_has_the_natural_runs_beneath(swept, runs_of):
    figure = draw_radar(runs_of(swept))
    for axes in figure.axes:
        (beneath,) = (line for line in axes.lines if line.get_marker() == "None")
        assert beneath.get_ydata()[0] == pytest.approx(98)  # 99, 98, 97
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["natural runs"]


def test_without_natural_runs_there_is_nothing_beneath(tmp_path, write, runs_of):
    write(tmp_path / "a", "pgd-at", 97, (40, 30, 20, 10))
    figure = draw_radar(runs_of(tmp_path))
    assert figure.legends == []
    assert len(figure.axes[0].lines) == 1


def test_of_a_sweep_the_first_the_middle_and_the_last_point_are_drawn(tmp_path, write, runs_of):
    for place in range(5):
        write(tmp_path / str(place), "pareto", 97, (40, 30, 20, 10), r=float(place))
    figure = draw_radar(runs_of(tmp_path))
    (axes,) = figure.axes
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    assert named == ["r=0.0", "r=2.0", "r=4.0"]
    assert len(outlines(axes)) == 3
    assert "Sweeps show their first, middle and last points" in figure.texts[-1].get_text().replace(
        "\n", " "
    )


def test_two_scores_have_no_area(tmp_path, write, runs_of):
    write(tmp_path / "a", "natural", 98, (40, 30, 20, 10), union_only=True)
    with pytest.raises(PlotError) as caught:
        draw_radar(runs_of(tmp_path))
    assert str(caught.value) == (
        "a radar needs three scores; these runs have 2: natural, union.\n"
        "  An evaluation with union_only has no score for a single threat."
    )
