import math

import pytest

from moat.errors import InputError
from moat.races import Design


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"first": 1}, "looks after 1 to 12 seeds are not a race"),
        ({"first": 9, "last": 8}, "looks after 9 to 8 seeds are not a race"),
        ({"last": 10_000}, "the last no fewer than the first and at most 200."),
        ({"level": 0.0}, "0 is not a level"),
        ({"level": 0.7}, "0.7 is not a level"),
        ({"level": math.nan}, "nan is not a level"),
        ({"margin": -1.0}, "-1 is not a margin"),
        ({"margin": math.inf}, "inf is not a margin"),
        ({"first": 3.5}, "3.5 is not a number of seeds"),
        ({"last": True}, "True is not a number of seeds"),
    ],
)
def test_a_design_outside_its_range_is_refused(field, message):
    with pytest.raises(InputError, match=r"not a (race|level|margin|number)") as caught:
        Design(**field)
    assert message in caught.value.message
    assert caught.value.hint


def test_a_look_follows_each_seed_from_the_first_to_the_last():
    assert list(Design(first=3, last=6).looks) == [3, 4, 5, 6]
