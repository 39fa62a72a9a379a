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


def test_the_intervals_of_many_lines_are_bars_that_lie_side_by_side(made_up):
    analysis = made_up("relationship")
    figure = draw_analysis(analysis)
    figure.canvas.draw()
    (axes,) = figure.axes
    low, high = (analysis[f"accuracy{end}"] for end in ("_low", "_high"))
    places = set()
    for row, bars in enumerate(axes.collections):
        ends = [[tuple(point) for point in one] for one in bars.get_segments()]
        assert ends == [[(at, low[row, n]), (at, high[row, n])] for n, at in enumerate((0, 5, 10))]
        places.add(round(float(bars.get_transform().transform((0, 0))[0]), 3))
    assert len(places) == len(analysis["accuracy"])


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
    assert len(figure.axes) == 2 * 5
    assert any(
        "the first 5 of 10 subjects" in one.get_text().replace("\n", " ") for one in figure.texts
    )
