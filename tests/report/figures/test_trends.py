"""The lines of relationship and overfitting are those of their arrays."""

import numpy as np

from moat.report.figures.kinds import draw_analysis


def test_a_line_is_a_search_with_its_values_and_a_band(made_up):
    analysis = made_up("relationship")
    (axes,) = draw_analysis(analysis).axes
    drawn = [line.get_ydata() for line in axes.lines]
    np.testing.assert_array_equal(drawn, analysis["accuracy"])
    assert [list(line.get_xdata()) for line in axes.lines] == [[0, 5, 10]] * 4
    assert len(axes.collections) == 4


def test_without_an_interval_there_is_no_band_and_three_threats_have_a_panel_each(made_up):
    figure = draw_analysis(made_up("relationship of two seeds"))
    assert len(figure.axes) == 3
    assert not any(axes.collections for axes in figure.axes)
    caption = figure.texts[-1].get_text().replace("\n", " ")
    assert "a threat with a long name +0.90." in caption


def test_differences_have_a_line_at_0(made_up):
    analysis = made_up("overfitting")
    (axes,) = draw_analysis(analysis).axes
    zero, *lines = [line.get_ydata() for line in axes.lines]
    assert list(zero) == [0, 0]
    np.testing.assert_array_equal(lines, analysis["difference"])


def test_many_subjects_are_cut_and_said_to_be(made_up):
    figure = draw_analysis(made_up("conflict of many"))
    assert len(figure.axes) == 16
    assert any(
        "the first 8 of 10 subjects" in one.get_text().replace("\n", " ") for one in figure.texts
    )
