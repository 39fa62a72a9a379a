"""A picture of many models stays on a page and names what it leaves out."""

import re
from dataclasses import replace

import numpy as np
import pytest

from moat.records import AnalysisSubject, NamedArray
from moat.report.figures.kinds import draw_analysis
from moat.report.figures.page import on_a_page

MANY = 41


def of_many(analysis, axes):
    """Return the analysis with its first model, threat or example many times over."""
    arrays = {}
    for name, array in analysis.arrays.items():
        values = array.values
        for axis in set(axes) & set(array.axes):
            along = array.axes.index(axis)
            values = np.repeat(np.take(values, [0], along), MANY, along)
        if array.axes == (name,) and name in axes:
            values = np.array([f"{name} {place}" for place in range(MANY)])
        arrays[name] = NamedArray(values, array.axes, array.unit)
    subjects = tuple(AnalysisSubject(f"model {place}") for place in range(MANY))
    return replace(
        analysis, arrays=arrays, subjects=subjects if "model" in axes else analysis.subjects
    )


@pytest.mark.parametrize(
    ("kind", "axes", "what"),
    [
        ("landscape", ["model"], "pairs of model and threat"),
        ("frequency", ["model"], "models"),
        ("saliency", ["model"], "models"),
        ("curvature", ["model"], "models"),
        ("examples", ["model"], "models"),
        ("transfer", ["threat"], "threats"),
        ("conflict", ["subject"], "subjects"),
    ],
)
def test_many_rows_stay_on_a_page_and_the_caption_counts_them(made_up, kind, axes, what):
    figure = draw_analysis(of_many(made_up(kind), axes))
    assert figure.get_figheight() <= 11
    words = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    told = re.search(
        rf"the first (\d+) of {MANY} {what}, the record all; not drawn: (.*?)\.", words
    )
    assert told is not None
    drawn = int(told[1])
    assert 1 <= drawn < MANY
    assert told[2].endswith(f" and {MANY - drawn - 6} more" if MANY - drawn > 6 else str(MANY - 1))


def test_many_examples_of_one_model_stay_on_a_page(made_up):
    analysis = of_many(made_up("examples in colour"), ["example"])
    figure = draw_analysis(analysis)
    assert figure.get_figheight() <= 11


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("inches", [0.1, 3.0, 20.0])
def test_a_page_has_at_least_one_row_and_names_none_if_all_fit(count, inches):
    fit, others = on_a_page([f"m{place}" for place in range(count)], inches, "models")
    assert 1 <= fit <= count
    assert (others == "") == (fit == count)
