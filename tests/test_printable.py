import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.printable import all_printable, printable


@given(st.text())
def test_what_is_printable_is_one_line_of_utf8_and_of_xml(text):
    shown = printable(text)
    assert shown.encode().decode() == shown
    assert len(shown.splitlines()) <= 1
    assert not {"\x1b", "\x00", "\u202e", "\ufffe"} & set(shown)
    assert printable(shown) == shown


@pytest.mark.parametrize("name", ["", "plain", "naïve", "漢字", "🙂", "a b", "$x_1^2$", "[/red]"])
def test_a_name_that_everybody_can_see_stays_as_it_is(name):
    assert printable(name) == name


def test_different_names_stay_different():
    names = ["caf\udce9", "caf\udce8", "a\nb", "a\rb", "a\x1bb"]
    assert len(set(map(printable, names))) == len(names)


def test_lines_may_stay():
    assert printable("a\n\x07b", lines=True) == "a\n\\x07b"


def test_the_texts_of_plain_data_are_printable_at_any_depth():
    data = {"\x00": ["\udcff", {"a": ("\x1b", 1, None)}]}
    assert all_printable(data) == {"\\x00": ["\\udcff", {"a": ["\\x1b", 1, None]}]}
