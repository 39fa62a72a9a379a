"""Differences and levels without a test are refused by name."""

import pytest

from moat.errors import InputError
from moat.races import Design, flip_probability, nominal_level, pair_at_look, t_interval
from moat.races.flips import flips_reject

NAN = float("nan")


@pytest.mark.parametrize(
    "test",
    [
        flip_probability,
        lambda each: flips_reject(each, Design(), 0.05),
        lambda each: t_interval(each, 0.05),
        lambda each: pair_at_look(("a", "b"), each, Design(), 0.05),
        lambda each: pair_at_look(("a", "b"), each, Design(exact=True), 0.05),
    ],
)
@pytest.mark.parametrize(
    ("differences", "said"), [([], "too few"), ([1.0, NAN, 2.0], "not finite")]
)
def test_differences_without_a_test_are_refused(test, differences, said):
    with pytest.raises(InputError, match=said) as caught:
        test(differences)
    assert caught.value.where == "differences"


def test_an_interval_needs_two_differences():
    with pytest.raises(InputError, match="1 paired differences are too few: the test needs 2"):
        t_interval([1.0], 0.05)


@pytest.mark.parametrize(
    ("looks", "where"),
    [((5, 3), "seeds"), ((1, 3), "seeds"), ((3, 12, 1.5), "level"), ((3, 12, -1), "level")],
)
def test_looks_and_levels_that_are_not_a_race_are_refused(looks, where):
    with pytest.raises(InputError) as caught:
        nominal_level(*looks)
    assert caught.value.where == where
