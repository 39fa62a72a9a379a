import pytest

from moat.report.text_widths import cut_to, inches_of, wrapped

SENTENCE = "a threat's score is its mean accuracy over the listed strengths"


def test_the_width_grows_with_the_text_and_with_the_size():
    assert inches_of("", 7) == 0
    assert inches_of("mm", 7) == pytest.approx(2 * inches_of("m", 7), rel=0.02)
    assert inches_of("m", 14) == pytest.approx(2 * inches_of("m", 7), rel=0.05)


def test_lines_break_at_blanks_and_none_is_too_wide():
    lines = wrapped(SENTENCE, 7, 1.0)
    assert len(lines) > 2
    assert " ".join(lines) == SENTENCE
    assert all(inches_of(line, 7) <= 1.0 for line in lines)
    assert wrapped("", 7, 1.0) == []


def test_a_word_that_is_too_long_stands_alone():
    assert wrapped("a loooooooooooooong b", 7, 0.2) == ["a", "loooooooooooooong", "b"]


def test_a_text_is_shortened_only_where_there_is_no_room():
    assert cut_to(SENTENCE, 7, 10) == SENTENCE
    short = cut_to(SENTENCE, 7, 1.0)
    assert short.endswith(" …")
    assert SENTENCE.startswith(short.removesuffix(" …"))
    assert inches_of(short, 7) <= 1.0
    assert cut_to("words", 7, 0.0) == " …"
