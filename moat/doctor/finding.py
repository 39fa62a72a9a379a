"""One finding of `moat doctor`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from moat.printable import printable


class Health(StrEnum):
    """In order; not there, and needed by some functions only; doubtful; moat cannot work."""

    ok = "ok"
    absent = "absent"
    warning = "warning"
    fault = "fault"


@dataclass(frozen=True)
class Finding:
    """One check: its subject, its state, the finding, and the mend."""

    area: str
    subject: str
    state: Health
    found: str
    mend: str = ""


def told(error: BaseException) -> str:
    r"""Return an error in one line.

    Example:
        >>> told(OSError("libcudart.so.13: cannot open\nshared object file"))
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
        yield Finding(area, area, Health.fault, f"could not be checked: {told(error)}", mend)
