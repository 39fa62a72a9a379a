"""The omitted files of a tree and the numbering of its classes, in a line."""

import re
from collections.abc import Mapping, Sequence

from moat.printable import printable

_SHOWN = 4
_PLURALS = {
    "image in no category": "images in no category",
    "folder named like an image": "folders named like images",
    "folder that cannot be read": "folders that cannot be read",
    "link to a folder that is read": "links to folders that are read",
    "file named twice": "files named twice",
    **{one: f"{one}s" for one in ("dead link", "pipe", "socket", "device")},
}


def note_of(classes: Sequence[str], left_out: Mapping[str, int], broken: int, beside: int) -> str:
    """Return the line: what is left out, by ending or by what it is, and the classes' numbers.

    `broken` files cannot be decoded; images `beside` the categories that are used belong to none.

    Example:
        >>> note_of(["1", "10", "2"], {".gif": 3}, 0, 0)
        'left out: 3 .gif. Classes are numbered by name, as text: 0 is 1, 1 is 10, 2 is 2.'
    """
    counts = dict(left_out)
    counts |= {"image in no category": beside, "that cannot be decoded": broken}
    counts = {what: count for what, count in counts.items() if count}
    words = [f"{count:,} {_several(what, count)}" for what, count in counts.items()]
    told = f"left out: {', '.join(words)}. " if words else ""
    numbered = [f"{number} is {printable(name)}" for number, name in enumerate(classes)]
    first = _first_surprise(classes)
    shown = numbered[first : first + _SHOWN]
    if len(shown) < len(numbered):
        shown.append("and so on")
    return f"{told}Classes are numbered by name, as text: {', '.join(shown)}."


def _several(what: str, count: int) -> str:
    return _PLURALS.get(what, what) if count > 1 else what


def _first_surprise(classes: Sequence[str]) -> int:
    """Return a place before which numbers in the names are in order, as 1 before 10 and 2."""
    pairs = zip(classes, sorted(classes, key=_natural), strict=True)
    differ = [place for place, (here, there) in enumerate(pairs) if here != there]
    return max(0, differ[0] - 1) if differ else 0


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(1, int(part[:18]), part) if part.isdecimal() else (0, 0, part) for part in parts]
