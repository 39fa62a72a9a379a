"""What a recipe can name, as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from moat.catalogue import Listed

_SINGULAR = {
    "threats": "threat",
    "scalarizers": "scalarizer",
    "models": "model",
    "datasets": "data set",
}
_ALSO = {
    "models": "and torchvision:<name>, any classifier of torchvision's, with the keys of resnet18; "
    "python:module:callable, a callable of your own"
}
"""What a recipe may name besides what is registered."""


def names_table(kind: str, listed: Sequence[Listed]) -> Table:
    """Show each name with its origin and its first line, or why there is none."""
    table = Table("name", "from", f"what the {_SINGULAR[kind]} is")
    for one in listed:
        why = Text(f"not loaded: {one.error}", style="red")
        table.add_row(Text(one.name), Text(one.origin), why if one.error else Text(one.about))
    if kind in _ALSO:
        table.caption = Text(_ALSO[kind])
    return table
