import numpy as np
import pytest

from moat.errors import PlotError
from moat.records import Analysis
from moat.report.figures.kinds import draw_analysis
from moat.report.layout import COLUMN
from moat.report.style import STYLE, drawn_in, render


def test_every_picture_is_as_wide_as_a_column_and_legible(analysis):
    figure = draw_analysis(analysis)
    assert figure.get_figwidth() == pytest.approx(COLUMN, abs=0.01)
    texts = [one for axes in figure.axes for one in (*axes.texts, axes.title)] + figure.texts
    assert min(one.get_fontsize() for one in texts if one.get_text()) >= 5.5
    assert any("Note." in one.get_text() for one in figure.texts)


def test_every_text_lies_within_the_picture(analysis):
    figure = draw_analysis(analysis)
    with drawn_in(STYLE):  # as it is written
        figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    for axes in figure.axes:
        box = axes.get_tightbbox()
        if box is not None:
            assert box.x0 >= -1
            assert box.x1 <= width + 1
            assert box.y0 >= -1
            assert box.y1 <= height + 1


def test_the_same_analysis_gives_the_same_picture(made_up):
    first, second = (render(draw_analysis(made_up("transfer")), "pdf") for _ in range(2))
    assert first == second
    assert b"/Type3" not in first


def test_an_analysis_that_nobody_draws_is_refused():
    with pytest.raises(PlotError) as refused:
        draw_analysis(Analysis("transfr", {}))
    assert str(refused.value).startswith(
        "no picture shows an analysis of the kind 'transfr'. Did you mean 'transfer'?\n  known: "
    )


def test_images_that_fell_more_than_the_own_search_have_a_heavy_frame(made_up):
    analysis = made_up("transfer")
    figure = draw_analysis(analysis)
    heavy = sum(patch.get_linewidth() > 1 for axes in figure.axes for patch in axes.patches)
    high = analysis["difference_high"].copy()
    high[range(3), range(3)] = np.inf
    assert heavy == (high < 0).sum() > 0
