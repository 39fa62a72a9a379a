"""One thing that `moat doctor` looked at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from moat.printable import printable

OK, ABSENT, WARNING, FAULT = "ok", "absent", "warning", "fault"
"""States: in order; not there, and only asked for by some; doubtful; moat cannot work."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, in which state it is, what was found, and what mends it."""

    area: str
    subject: str
    state: str
    found: str
    mend: str = ""


def said(error: BaseException) -> str:
    r"""Return an error in one line.

    Example:
        >>> said(OSError("libcudart.so.13: cannot open\nshared object file"))
        'OSError: libcudart.so.13: cannot open'
    """
    line = str(error).strip().partition("\n")[0]
    return printable(f"{type(error).__name__}: {line}" if line else type(error).__name__)


def safe(area: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield what a look at an area finds; what it raises is a fault of the area."""
    try:
        yield from look()
    except (Exception, SystemExit) as error:  # a broken package raises whatever it likes
        mend = "" if area == "packages" else "mend the faults above first"
        yield Finding(area, area, FAULT, f"could not be looked at: {said(error)}", mend)
