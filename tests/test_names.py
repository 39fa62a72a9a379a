import pytest

from moat.names import MOST_BYTES, why_no_name

NAMES = ["digits", "digits_pareto+0a1b@strong", "a b", "étude", "r=0.5,lr=1e-3", "x" * MOST_BYTES]
NO_NAMES = {
    "": "it has 0 bytes, and a name has 1 to 255",
    "x" * 256: "it has 256 bytes, and a name has 1 to 255",
    "é" * 128: "it has 256 bytes, and a name has 1 to 255",
    "/etc": "it has a path separator",
    "a/b": "it has a path separator",
    "a\\b": "it has a path separator",
    "..": "it begins with '.'",
    ".": "it begins with '.'",
    ".hidden": "it begins with '.'",
    "-rf": "it begins with '-'",
    "=1+1": "it begins with '='",
    "a\0b": "it has a control character",
    "a\nb": "it has a control character",
    "a\x1b[2J": "it has a control character",
    "a\x85b": "it has a control character",
    "a\u2028b": "it has a control character",
    "a\u202eb": "it has a control character",
    "a\ud800": "it is not Unicode text",
}


@pytest.mark.parametrize("text", NAMES)
def test_a_part_of_a_path_is_a_name(text):
    assert why_no_name(text) == ""


@pytest.mark.parametrize(("text", "why"), NO_NAMES.items())
def test_what_is_no_name_says_why(text, why):
    assert why_no_name(text) == why


@pytest.mark.parametrize("value", [None, 3, ["a"], b"a"])
def test_only_text_is_a_name(value):
    assert why_no_name(value) == "it is not text"
