import numpy as np
import pytest
from matplotlib.figure import Figure

from moat.report.front.scales import set_scale, symlog_threshold, symlog_ticks


@pytest.mark.parametrize(
    "values",
    [
        [],
        [0.0, 0.0],
        [0.0, 46.1, 89.0, 109.2, 169.5, 176.7],  # Table 1, MNIST
        [-50.0, -10.0, 20.0, 100.0],
        [0.0, 0.4, 0.5, 0.7, 1.1, 1.4, 3.2, 4.7],
        [0.0, 0.01, 0.02, 0.01, 1.4],  # a few examples of ten thousand
    ],
)
def test_values_of_one_magnitude_stand_on_a_linear_axis(values):
    assert symlog_threshold(np.array(values)) is None


@pytest.mark.parametrize(
    ("values", "threshold"),
    [([0, 0.4, 0.7, 1.3, 1.5, 2.0, 60.0], 1), ([-0.03, 0.02, 40.0], 1), ([3, -7, 8, 9, 90.0], 5)],
)
def test_an_axis_is_symlog_where_most_values_would_be_squeezed(values, threshold):
    assert symlog_threshold(np.array(values)) == pytest.approx(threshold)


def test_ticks_are_symmetric_and_bear_1_2_and_5():
    sizes = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]
    assert symlog_ticks(1, 70) == [*(-size for size in reversed(sizes)), 0, *sizes]


def test_ticks_over_many_decades_bear_1_alone():
    assert symlog_ticks(1, 1e6)[-3:] == [1e4, 1e5, 1e6]


def test_a_symlog_axis_shows_plain_numbers():
    axes = Figure().add_subplot()
    values = np.array([-0.3, 0.4, 0.7, 1.3, 60.0])
    axes.plot(values, values)
    set_scale(axes, "y", values)
    assert axes.get_yscale() == "symlog"
    shown = {label.get_text() for label in axes.get_yticklabels()}
    assert {"0", "0.5", "1", "50", "\N{MINUS SIGN}1"} <= shown
