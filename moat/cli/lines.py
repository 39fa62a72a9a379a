"""A line for people: text from a user's files and code never controls the terminal."""

import sys

from moat.printable import printable


def say(text: str, *, err: bool = False) -> None:
    """Print a message, with an escape for each character that a terminal would obey."""
    print(printable(text, lines=True), file=sys.stderr if err else sys.stdout, flush=True)
