"""The numbers and names that set an instrument."""

from typing import Literal

import pytest

from moat.analysis.arguments import require_above_zero, require_distinct, require_one_of
from moat.analysis.loss_surface import SurfaceGrid
from moat.errors import InputError


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(
        InputError, match=r"no view is called 'ned'\. Did you mean 'end'"
    ) as refused:
        require_one_of("view", "ned", Literal["far", "end"])
    assert refused.value.hint == "Known: far, end"
    require_one_of("view", "end", Literal["far", "end"])


@pytest.mark.parametrize("value", [0, -1, float("nan"), -float("inf")])
def test_a_number_that_is_not_above_0_is_refused(value):
    with pytest.raises(InputError, match="and must be above 0"):
        require_above_zero("extent", value)


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match="noise is inf, and must be finite") as refused:
        require_above_zero("noise", float("inf"), zero=True)
    assert refused.value.hint == "Take a finite number at least 0."


def test_a_value_that_is_named_twice_is_refused():
    with pytest.raises(InputError, match="the view 'end' is named twice"):
        require_distinct("view", ["end", "far", "end"])
    require_distinct("view", ["end", "far"])


@pytest.mark.parametrize(
    ("points", "hint"), [(-4, "Take 3"), (1, "Take 3"), (4, "Take 5"), (50, "Take 51")]
)
def test_the_nearest_grid_is_named(points, hint):
    with pytest.raises(InputError, match=f"points is {points}") as refused:
        SurfaceGrid(points=points)
    assert refused.value.hint == f"{hint}, or the default, 51."
