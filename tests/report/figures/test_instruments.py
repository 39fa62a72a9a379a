"""The pictures of landscape, curvature, saliency and skewness: each number has its place."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from moat.records import Analysis, NamedArray
from moat.report.figures.kinds import draw_analysis
from moat.report.layout import COLUMN
from moat.report.style import render

MODELS = ("natural", "a run with quite a long name, seed 3")


def named(**names):
    return {axis: NamedArray(np.array(values), (axis,)) for axis, values in names.items()}


def landscape(constant: bool = False) -> Analysis:
    axis = np.linspace(-1, 1, 5)
    bowl = axis[:, None] ** 2 + axis**2
    mean = np.broadcast_to(0 * bowl if constant else bowl, (2, 1, 3, 5, 5)).copy()
    arrays = named(model=MODELS, threat=["rt"], view=["far", "near", "end"], a=axis, b=axis)
    arrays["mean"] = NamedArray(mean, ("model", "threat", "view", "a", "b"), "nats")
    return Analysis("landscape", arrays, notes=("A note.",))


def curvature(flat: bool = False) -> Analysis:
    axes = ("model", "threat", "place")
    arrays = named(model=MODELS, threat=["rt", "integrated"], place=["start", "end"])
    values = np.arange(8.0).reshape(2, 2, 2) * (0 if flat else 1)
    for quantity in ("lowest", "highest", "negative", "convexity"):
        sign = -1 if quantity == "lowest" else 1
        for end in ("", "_low", "_high"):
            own = np.full_like(values, np.nan) if flat and quantity == "convexity" else values
            arrays[f"median_{quantity}{end}"] = NamedArray(sign * own, axes)
    return Analysis("curvature", arrays)


def saliency(channels: int = 1, flat: bool = False) -> Analysis:
    generator = np.random.default_rng(0)
    pixels = (channels, 6, 8)
    arrays = named(model=MODELS, example=[3, 70])
    arrays["label"] = NamedArray(np.array([1, 2]), ("example",))
    arrays["image"] = NamedArray(
        generator.random((2, *pixels)), ("example", "channel", "row", "column")
    )
    maps = generator.normal(size=(2, 2, *pixels)) * (0 if flat else 1)
    arrays["map"] = NamedArray(maps, ("model", "example", "channel", "row", "column"))
    return Analysis("saliency", arrays)


def skewness() -> Analysis:
    arrays = named(model=MODELS, maps=["signed", "absolute"], scale=["raw", "unit"])
    values = np.arange(8.0).reshape(2, 2, 2)
    for name, shift in (("median", 0), ("median_low", -0.5), ("median_high", 0.5)):
        arrays[name] = NamedArray(values + shift, ("model", "maps", "scale"))
    return Analysis("skewness", arrays, settings={"reference": "natural"})


CASES = {
    "landscape": landscape(),
    "a constant landscape": landscape(constant=True),
    "curvature": curvature(),
    "curvature of a flat loss": curvature(flat=True),
    "saliency": saliency(),
    "saliency in colour": saliency(channels=3),
    "saliency of a constant model": saliency(flat=True),
    "skewness": skewness(),
}


@pytest.mark.parametrize("analysis", CASES.values(), ids=CASES)
def test_a_picture_is_at_most_a_column_wide(analysis):
    figure = draw_analysis(analysis)
    assert figure.get_figwidth() <= COLUMN + 1e-9
    assert figure.axes


@pytest.mark.parametrize("kind", ["landscape", "curvature", "saliency", "skewness"])
def test_a_picture_is_written_without_a_warning(kind):
    written = render(draw_analysis(CASES[kind]), "png")
    assert Image.open(BytesIO(written)).width > 100


def texts_of(figure: Figure) -> list[str]:
    inner = [axes.get_title() for axes in figure.axes]
    return [text.get_text() for text in figure.texts] + inner


def test_a_landscape_names_its_rows_and_the_range_of_its_loss():
    texts = texts_of(draw_analysis(landscape()))
    assert "natural, rt" in texts
    assert texts.count("0 to 2 nats") == 6
    assert [text for text in texts if text in ("start, far", "start, near", "end")] == [
        "start, far",
        "start, near",
        "end",
    ]


def test_the_points_of_a_curvature_are_its_medians():
    figure = draw_analysis(curvature())
    extremes, negative, _ = figure.axes
    points = [line for line in negative.lines if len(line.get_xdata()) == 1]
    assert sorted(float(line.get_xdata()[0]) for line in points) == list(range(8))
    both = [line for line in extremes.lines if line.get_marker() not in ("", "None", None)]
    assert {float(line.get_xdata()[0]) for line in both} == {*range(-7, 8)}


def test_the_maps_of_saliency_are_grey_where_they_are_0():
    figure = draw_analysis(saliency())
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 2 + 2 * 2 * 2
    signed = [image for image in images if image.norm.vmin < 0]
    assert len(signed) == 4
    assert all(image.norm.vmin == -image.norm.vmax for image in signed)


def test_a_line_of_skewness_is_its_medians_in_the_order_of_the_models():
    signed, absolute = draw_analysis(skewness()).axes
    assert [list(line.get_ydata()) for line in signed.lines[:2]] == [[0, 4], [1, 5]]
    assert [list(line.get_ydata()) for line in absolute.lines[:2]] == [[2, 6], [3, 7]]
