import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.report.numbers import as_printed, between, decimals, duration, finite, gap, percent


def test_what_is_absent_is_a_dash():
    assert {percent(None), between(None, None, None), as_printed(None, 2), gap(None)} == {"-"}


def test_numbers_have_one_decimal_and_no_negative_zero():
    assert (percent(88.14), percent(-0.04), gap(-0.04), gap(3.26)) == (
        "88.1",
        "0.0",
        "+0.0",
        "+3.3",
    )
    assert between(88.14, 86.02, 89.9) == "88.1 [86.0, 89.9]"
    assert {between(88.14, *ends) for ends in [(None, None), (float("nan"), 90.0)]} == {"88.1"}


@given(st.lists(st.decimals(0, 300, places=2), min_size=1))
def test_published_figures_are_written_as_they_were_printed(figures):
    values = [float(figure) for figure in figures]
    digits = decimals(values)
    assert [float(as_printed(value, digits)) for value in values] == values
    assert 1 <= digits <= 2


def test_figures_have_one_decimal_at_least_and_four_at_most():
    assert (decimals([]), decimals([50.0]), decimals([1 / 3])) == (1, 1, 4)


def test_only_finite_numbers_count():
    assert [finite(value) for value in (1, 0.5, math.nan, math.inf, None)] == [1, 0.5] + [None] * 3


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.4, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (5400, "1.5 h"),
        (1e6, "277.8 h"),
    ],
)
def test_a_duration_is_read_at_a_glance(seconds, shown):
    assert duration(seconds) == shown
