"""What every picture promises: all its words are legible, and equal runs give equal bytes."""

import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from moat.report.plots.kinds import OF_GROUPS, make_plots
from moat.report.style import render

OURS = [kind for kind in OF_GROUPS if kind not in ("front", "pairs")]


def boxes_of(figure: Figure) -> tuple[list[Text], np.ndarray]:
    """Return every text that is drawn and its box: left, bottom, right, top, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = [text for text in texts_of(figure) if text.get_visible() and text.get_text().strip()]
    renderer = canvas.get_renderer()
    boxes = np.array([text.get_window_extent(renderer).extents for text in texts])
    return texts, boxes


def texts_of(figure: Figure) -> list[Text]:
    """Return the texts of a figure, of its legends and of its axes."""
    texts = list(figure.texts)
    for legend in figure.legends:
        texts += legend.get_texts()
    for axes in figure.axes:
        texts += [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
        texts += axes.get_legend().get_texts() if axes.get_legend() else []
        texts += [label for axis in (axes.xaxis, axes.yaxis) for label in ticks_of(axis)]
    return texts


def ticks_of(axis: Axis) -> list[Text]:
    """Return the labels of the ticks within an axis's ends: others are not drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False)
    return [label for place, label in ticks if low - 1e-9 <= place <= high + 1e-9]


def overlapping(texts: list[Text], boxes: np.ndarray) -> list[tuple[str, str]]:
    """Return the pairs of texts that cover one another by more than a pixel each way.

    The boxes of names that are turned alike cover one another, the names do not.
    """
    turned = np.array([text.get_rotation() % 90 != 0 for text in texts])
    left, bottom, right, top = boxes.T
    wide = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    high = np.minimum(top[:, None], top) - np.maximum(bottom[:, None], bottom)
    pairs = np.argwhere(np.triu((wide > 1) & (high > 1) & ~(turned & turned[:, None]), 1))
    return [(texts[one].get_text(), texts[other].get_text()) for one, other in pairs]


@pytest.mark.parametrize("kind", [*OURS, "relationship", "difference"])
def test_no_word_is_cut_off_or_covers_another(some_study, kind):
    figures = make_plots([some_study], [kind]).figures
    assert figures or kind in ("relationship", "difference")
    for name, figure in figures.items():
        texts, boxes = boxes_of(figure)
        assert len(texts) > 8, name
        width, height = figure.canvas.get_width_height()
        outside = (boxes[:, :2] < 0).any(1) | (boxes[:, 2] > width) | (boxes[:, 3] > height)
        assert [text.get_text() for text, out in zip(texts, outside, strict=True) if out] == []
        assert overlapping(texts, boxes) == []


@pytest.mark.parametrize("kind", [*OURS, "relationship", "difference"])
@pytest.mark.parametrize("format", ["png", "svg"])
def test_the_same_runs_give_the_same_bytes(swept, kind, format):
    (one,), (other,) = (make_plots([swept], [kind]).figures.values() for _ in range(2))
    drawn = render(one, format)
    assert drawn == render(other, format)
    assert len(drawn) > 5000


@pytest.mark.parametrize("kind", [*OURS, "relationship", "difference"])
def test_a_picture_is_as_wide_as_a_column_of_a_paper_and_no_letter_is_below_5_points(swept, kind):
    (figure,) = make_plots([swept], [kind]).figures.values()
    assert 3.3 <= figure.get_size_inches()[0] <= 3.6
    assert min(text.get_fontsize() for text in figure.findobj(Text)) >= 5


@pytest.mark.parametrize("kind", ["parallel", "strengths", "relationship", "difference"])
def test_lines_differ_in_more_than_their_colour(swept, kind):
    (figure,) = make_plots([swept], [kind]).figures.values()
    (legend,) = figure.legends
    looks = [
        (handle.get_marker(), handle.get_linestyle(), str(handle._dash_pattern))
        for handle in legend.legend_handles
    ]
    assert len(set(looks)) == len(looks) > 1
