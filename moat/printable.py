"""Names in a form for every place: a terminal, a picture, a page, a file of UTF-8."""

import re
import unicodedata
from typing import Any

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\u2028\u2029"  # which end a line
    "\u202a-\u202e\u2066-\u2069"  # which turn the direction of what follows
    "\ud800-\udfff"  # bytes of a file's name that are not UTF-8
    "\ufffe\uffff]"  # no characters of XML
)


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return a text with an escape for each character that nobody can see or no file can hold.

    `lines`: but for the ends of its lines.

    Example:
        >>> print(printable("\x1b[31mred"))
        \x1b[31mred
    """
    if lines:
        return "\n".join(map(printable, text.split("\n")))
    return _HIDDEN.sub(lambda found: repr(found[0])[1:-1], text)


def all_printable(value: Any) -> Any:
    """Return plain data with each of its texts printable."""
    if isinstance(value, dict):
        return {all_printable(key): all_printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [all_printable(item) for item in value]
    return printable(value) if isinstance(value, str) else value


def folder_key(name: str) -> str:
    """Return what tells a folder from others on every system: neither case nor Unicode's forms.

    Example:
        >>> folder_key("PGD-AT") == folder_key("pgd-at")
        True
    """
    return unicodedata.normalize("NFC", name).casefold()


_DEVICES = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}


def is_portable(name: str) -> bool:
    """Say whether every system can call a folder so; Windows keeps some names to itself."""
    return name.partition(".")[0].casefold() not in _DEVICES and not name.endswith((".", " "))
