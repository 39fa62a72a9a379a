"""A line for people: whatever a user's files and code say in it, a terminal only shows it."""

import sys

from moat.printable import printable


def say(text: str, *, err: bool = False) -> None:
    """Print a message, with an escape for each character that a terminal would obey."""
    print(printable(text, lines=True), file=sys.stderr if err else sys.stdout, flush=True)
