"""Bounds hold before a parser sees a text; what is within them is read as ever."""

import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.parsing import (
    DEPTH,
    MOST_DIGITS,
    SIZE,
    BoundError,
    parse_json,
    parse_toml,
    require_plain,
)

DEEP = {
    "a dotted key": "a." * 5000 + "a = 1",
    "a dotted header": "[" + "a." * 5000 + "a]",
    "a quoted dotted key": '"a" . ' * 5000 + "a = 1",
    "arrays": "a = " + "[" * 5000,
    "closed arrays": "a = " + "[" * 5000 + "]" * 5000,
    "arrays over lines": "a = " + "[\n" * 5000,
    "inline tables": "a = " + "{a = " * 5000,
    "dotted keys in inline tables": "a = " + ("{" + "a." * 30 + "a = ") * 30 + "1" + "}" * 30,
    "digits": "a = " + "1" * 5000,
    "hexadecimal digits": "a = 0x" + "1" * 5000,
    "decimals": "a = 0." + "1" * 500_000,
    "letters": "#" * (SIZE + 1),
}


@pytest.mark.parametrize("text", DEEP.values(), ids=list(DEEP))
def test_what_would_take_minutes_or_the_stack_is_refused_at_once(text):
    began = time.process_time()
    with pytest.raises(BoundError):
        parse_toml(text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        "a = '" + "[" * 99 + "'",
        'a = "' + '\\"{' * 99 + '"',
        'a = """' + "[\n" * 99 + '"""""',
        "a = '''" + "[\n" * 99 + "'''''",
        "a = 1 # " + "[" * 99,
        "a = [" + "[1],\n" * 99 + "]",
        "a." * (DEPTH - 1) + "b = 1",
        "\n".join(f"a.b.c{n} = 1.5" for n in range(99)),
        "a = " + "1" * 18,
        f"a = '{'1' * (MOST_DIGITS + 9)}'",
    ],
)
def test_what_is_within_bounds_is_read_as_tomllib_reads_it(text):
    assert parse_toml(text) == tomllib.loads(text)


@given(st.text("[]{}=.,\n\"'#a1\\ ", max_size=60))
def test_a_text_is_read_as_tomllib_reads_it_or_both_refuse(text):
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises((BoundError, tomllib.TOMLDecodeError)):
            parse_toml(text)
    else:
        assert parse_toml(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "it nests too deeply"),
        ("[" * 50 + "]" * 50, "0.0.0: tables and arrays nest at most 32 levels deep"),
        ('{"a": [1, 1' + "0" * 400 + "]}", "a.1: a whole number has at most 64 bits"),
        ('{"a": 1e999}', "a: a number is finite, not inf"),
        ('{"a": "\\ud800"}', "a: text must be Unicode"),
        ('{"\\ud800": 1}', "text must be Unicode"),
    ],
)
def test_a_json_text_out_of_bounds_is_refused_by_its_key(text, said):
    with pytest.raises(BoundError) as refused:
        parse_json(text)
    assert str(refused.value) == said


def test_what_json_does_not_have_is_null():
    assert parse_json("[NaN, Infinity, -Infinity, 1]") == [None, None, None, 1]


def test_a_date_is_no_plain_value():
    with pytest.raises(BoundError, match=r"a\.b: moat reads neither dates nor times"):
        require_plain(tomllib.loads("a.b = 1979-05-27"))
