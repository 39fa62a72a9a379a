import pytest

from moat.report.measured import shortened, width_of, wrapped

SENTENCE = "a threat's score is its mean accuracy over the listed strengths"


def test_the_width_grows_with_the_text_and_with_the_size():
    assert width_of("", 7) == 0
    assert width_of("mm", 7) == pytest.approx(2 * width_of("m", 7), rel=0.02)
    assert width_of("m", 14) == pytest.approx(2 * width_of("m", 7), rel=0.05)


def test_lines_break_at_blanks_and_none_is_too_wide():
    lines = wrapped(SENTENCE, 7, 1.0)
    assert len(lines) > 2
    assert " ".join(lines) == SENTENCE
    assert all(width_of(line, 7) <= 1.0 for line in lines)
    assert wrapped("", 7, 1.0) == []


def test_a_word_that_is_too_long_stands_alone():
    assert wrapped("a loooooooooooooong b", 7, 0.2) == ["a", "loooooooooooooong", "b"]


def test_a_text_is_shortened_only_where_there_is_no_room():
    assert shortened(SENTENCE, 7, 10) == SENTENCE
    short = shortened(SENTENCE, 7, 1.0)
    assert short.endswith(" …")
    assert SENTENCE.startswith(short.removesuffix(" …"))
    assert width_of(short, 7) <= 1.0
    assert shortened("words", 7, 0.0) == " …"
