"""How wide a table is in a terminal."""

from rich.console import Console
from rich.table import Table


def width_of(table: Table) -> int:
    """Return how many cells of a terminal a table takes where there is room for all of it."""
    return Console(width=100_000).measure(table).maximum
