"""The markers of conflict: a colour for each pair, apart from each other."""

import numpy as np
import pytest

from moat.records import Analysis, NamedArray
from moat.report.figures.kinds import draw_analysis


def conflict_of(pairs: int, layers: int) -> Analysis:
    axes = ("subject", "layer", "pair")
    values = np.zeros((1, layers, pairs))
    arrays = {
        "subject": NamedArray(np.array(["a"]), ("subject",)),
        "layer": NamedArray(np.array([f"layer.{n}.weight" for n in range(layers)]), ("layer",)),
        "pair": NamedArray(np.array([f"natural, threat {n}" for n in range(pairs)]), ("pair",)),
        **{f"cosine{end}": NamedArray(values, axes) for end in ("", "_low", "_high")},
    }
    return Analysis("conflict", arrays, notes=("Note.",))


@pytest.mark.parametrize("pairs", [1, 3, 6, 7, 15, 21])
def test_pairs_share_no_colour_and_no_place(pairs):
    figure = draw_analysis(conflict_of(pairs, layers=9))
    (axes,) = figure.axes
    assert axes.get_xlabel() == "layer"
    drawn = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert len({str(line.get_color()) for line in drawn}) == pairs
    across = np.sort(np.concatenate([line.get_xdata() for line in drawn]))
    inches = axes.get_position().width * figure.get_figwidth() / np.ptp(axes.get_xlim())
    between = np.diff(across).min() * inches * 72
    assert drawn[0].get_markersize() <= max(1.2, between)
