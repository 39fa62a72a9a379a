"""Numbers on a command line: digits, a point, an exponent."""

import re
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

from moat.errors import RecipeError


def require_plain_numbers(text: str, value: Any, where: str) -> None:
    """Raise RecipeError for a number of a typed TOML value that a slip may have made.

    A file may group digits and count in another base, as TOML has it. In a line that is typed,
    1_0 is rather a slip of 1.0, and a number too small to divide by one of its exponent.
    """
    for token in _numbers(text):
        if len(token) <= _LONGEST and ("_" in token or _BASE.match(token)):
            plain = tomllib.loads(f"value = {token}")["value"]
            raise RecipeError(
                f"{token} is not a plain number.",
                where=where,
                hint=f"Did you mean {plain}?",
            )
    for number in _floats(value):
        if 0 < abs(number) < sys.float_info.min:
            raise RecipeError(
                f"{number} is too small to compute with.",
                where=where,
                hint=f"Write 0, or a number of at least {sys.float_info.min:.3g}.",
            )


def _numbers(text: str) -> Iterator[str]:
    """Yield what begins as a number, outside of strings and comments, and is not a key."""
    bare = _QUOTED.sub('""', text)
    return (match[1] for match in _NUMBER.finditer(bare))


def _floats(value: Any) -> Iterator[float]:
    waiting = [value]
    while waiting:
        held = waiting.pop()
        if isinstance(held, float):
            yield held
        elif isinstance(held, dict | list):
            waiting += held.values() if isinstance(held, dict) else held


_LONGEST = 40
"""Letters of a number that may be repeated; a longer one is beyond what a recipe takes."""
_NUMBER = re.compile(r"(?:^|[\[,={\s])([+-]?\d[\w.+-]*)(?!\s*=|[\w.+-])")
_BASE = re.compile(r"[+-]?0[xob]")
_QUOTED = re.compile(
    r"""\"{3}(?:[^\\]|\\.)*?\"{3,5}|'{3}.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*""",
    re.DOTALL,
)
