"""What a recipe can name, as a table."""

from collections.abc import Mapping, Sequence

from moat.catalogue import CatalogueEntry
from moat.sheets import Sheet

_SINGULAR = {
    "threats": "threat",
    "scalarizers": "scalarizer",
    "models": "model",
    "datasets": "data set",
    "recipes": "recipe",
}
_ALSO = {
    "models": "and torchvision:<name>, any classifier of torchvision's, with the keys of resnet18; "
    "python:module:callable, a callable of your own",
    "recipes": "and any TOML file",
}
"""What a recipe may name besides what is registered."""


def names_sheet(kind: str, listed: Sequence[CatalogueEntry]) -> Sheet:
    """Return each name with its origin and its first line, or why there is none."""
    rows = tuple(
        (one.name, one.origin, f"not loaded: {one.error}" if one.error else one.about)
        for one in listed
    )
    notes = (_ALSO[kind],) if kind in _ALSO else ()
    return Sheet(("name", "from", f"what the {_SINGULAR[kind]} is"), rows, "lll", notes=notes)


def kinds_sheet(listed: Mapping[str, Sequence[CatalogueEntry]]) -> Sheet:
    """Return the names of several kinds, each with its kind, for what takes a name of any."""
    rows = [
        (one.name, kind, one.origin, one.error or one.about)
        for kind, entries in listed.items()
        for one in entries
    ]
    starts = [len(entries) for entries in listed.values()]
    return Sheet(
        ("name", "kind", "from", "what it is"),
        tuple(rows),
        "llll",
        notes=("and code of your own: FILE.py, FILE.py:Class, module:Class",),
        sections=frozenset(sum(starts[:n]) for n in range(1, len(starts))),
    )
