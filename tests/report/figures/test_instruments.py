"""The pictures of landscape, curvature, saliency and skewness: each number has its place."""

from dataclasses import replace

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from moat.records import NamedArray
from moat.report.figures.kinds import draw_analysis


def texts_of(figure: Figure) -> list[str]:
    inner = [axes.get_title() for axes in figure.axes]
    return [text.get_text() for text in figure.texts] + inner


def test_a_landscape_names_its_rows_and_the_range_of_its_loss(made_up):
    texts = texts_of(draw_analysis(made_up("landscape")))
    assert "natural, rt" in texts
    assert texts.count("0 to 2 nats") == 6
    assert [text for text in texts if text in ("start, far", "start, near", "end")] == [
        "start, far",
        "start, near",
        "end",
    ]


def test_the_points_of_a_curvature_are_its_medians(made_up):
    figure = draw_analysis(made_up("curvature"))
    extremes, negative, _ = figure.axes
    points = [line for line in negative.lines if len(line.get_xdata()) == 1]
    assert sorted(float(line.get_xdata()[0]) for line in points) == list(range(8))
    both = [line for line in extremes.lines if line.get_marker() not in ("", "None", None)]
    assert {float(line.get_xdata()[0]) for line in both} == {*range(-7, 8)}


def test_the_maps_of_saliency_are_grey_where_they_are_0(made_up):
    figure = draw_analysis(made_up("saliency"))
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 2 + 2 * 2 * 2
    signed = [image for image in images if image.norm.vmin < 0]
    assert len(signed) == 4
    assert all(image.norm.vmin == -image.norm.vmax for image in signed)


def test_a_line_of_skewness_is_its_medians_in_the_order_of_the_models(made_up):
    signed, absolute = draw_analysis(made_up("skewness")).axes  # no names begin alike: one line
    assert [list(line.get_ydata()) for line in signed.lines[:2]] == [[0, 4], [1, 5]]
    assert [list(line.get_ydata()) for line in absolute.lines[:2]] == [[2, 6], [3, 7]]


def lightness(colour) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [c / 12.92 if c <= 0.04 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(parts, (0.2126, 0.7152, 0.0722)))


def test_the_number_in_a_cell_of_transfer_can_be_read_on_any_accuracy(made_up):
    analysis = made_up("transfer")
    every = np.linspace(0, 100, analysis["accuracy"].size).reshape(analysis["accuracy"].shape)
    analysis["accuracy"][:] = every
    for axes in draw_analysis(analysis).axes:
        grey = axes.images[0]
        for cell in axes.texts:
            column, row = (int(one) for one in cell.get_position())
            behind = grey.cmap(grey.norm(grey.get_array()[row, column]))[:3]
            dark, light = sorted((lightness(behind), lightness(cell.get_color())))
            assert (light + 0.05) / (dark + 0.05) > 4.5


def test_a_difference_that_rounds_to_0_has_no_sign(made_up):
    analysis = made_up("transfer")
    analysis["difference"][:] = -0.2
    shown = [cell.get_text() for axes in draw_analysis(analysis).axes for cell in axes.texts]
    assert sum("(0)" in text for text in shown) == 12
    analysis["difference"][:] = -3
    shown = [cell.get_text() for axes in draw_analysis(analysis).axes for cell in axes.texts]
    assert sum("(\N{MINUS SIGN}3)" in text for text in shown) == 12


def test_a_sweep_point_beside_the_spectra_is_whole(made_up):
    analysis = made_up("frequency")
    names = NamedArray(np.array(["pgd-at", "pgd-at steps=5"]), ("model",), "")
    analysis = replace(analysis, arrays=analysis.arrays | {"model": names})
    labels = [axes.get_ylabel() for axes in draw_analysis(analysis).axes]
    assert "pgd-at\nsteps=5" in labels


def test_the_profiles_of_all_models_hold_the_highest_power(made_up):
    analysis = made_up("frequency")
    analysis["ring_density"][0, 0, 0] = 400
    profiles = [axes for axes in draw_analysis(analysis).axes if axes.lines]
    assert [axes.get_ylim()[1] for axes in profiles] == [600, 600]
