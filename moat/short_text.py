"""Texts of a person's that are too long for a message, cut in the middle."""

import re

_LONGEST = 100
"""Letters of a word in a message: longer ones are values that nobody meant to be read."""
_LONGEST_PATH = 400
_WORD = re.compile(rf"\S{{{_LONGEST + 1},}}")


def cut_short(text: str, most: int = 80) -> str:
    """Return a text of at most so many letters: its ends, and dots for what lies between.

    Example:
        >>> cut_short("abcdefghijklmnopqrstuvwxyz", 12)
        'abcdef...xyz'
    """
    if len(text) <= most:
        return text
    tail = (most - 3) // 3
    return f"{text[: most - 3 - tail]}...{text[len(text) - tail :]}"


def with_short_words(text: str) -> str:
    """Return a text whose words no value of somebody's makes longer than a line; paths are kept.

    Example:
        >>> len(with_short_words("not " + "a" * 300))
        104
    """
    return _WORD.sub(lambda found: _short(found[0]), text)


def _short(word: str) -> str:
    is_path = "/" in word or "\\" in word
    return cut_short(word, _LONGEST_PATH if is_path else _LONGEST)
