"""The numbers and names that set an instrument."""

from typing import Literal

import pytest

from moat.analysis.arguments import require_above_zero, require_one_of
from moat.errors import InputError


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(
        InputError, match=r"no view is called 'ned'\. Did you mean 'end'"
    ) as refused:
        require_one_of("view", "ned", Literal["far", "end"])
    assert refused.value.hint == "Known: far, end"
    require_one_of("view", "end", Literal["far", "end"])


@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_number_that_is_not_above_0_is_refused(value):
    with pytest.raises(InputError, match="and must be above 0"):
        require_above_zero("extent", value)
