"""The names for a recipe, as a table."""

from collections.abc import Mapping, Sequence

from moat.catalogue import CatalogueEntry
from moat.other_moats import DISTRIBUTION
from moat.sheets import Sheet
from moat.version import __version__

_ALSO = {
    "models": "and torchvision:<name>, any classifier of torchvision's, with the keys of resnet18; "
    "python:module:callable, a callable of your own",
    "recipes": "and any TOML file",
}
"""Names for a recipe besides the registered ones."""


def names_sheet(kind: str, listed: Sequence[CatalogueEntry]) -> Sheet:
    """Return each name with its origin, version and first line, or why there is none."""
    rows = tuple(
        (
            one.name,
            _with_version(one.origin),
            f"not loaded: {one.error}" if one.error else one.about,
        )
        for one in listed
    )
    notes = (_ALSO[kind],) if kind in _ALSO else ()
    return Sheet(("name", "from", "description"), rows, "lll", notes=notes)


def kinds_sheet(listed: Mapping[str, Sequence[CatalogueEntry]]) -> Sheet:
    """Return the names of several kinds, each with its kind."""
    rows = [
        (one.name, kind, _with_version(one.origin), one.error or one.about)
        for kind, entries in listed.items()
        for one in entries
    ]
    counts = [len(entries) for entries in listed.values()]
    return Sheet(
        ("name", "kind", "from", "description"),
        tuple(rows),
        "llll",
        notes=("and your own code: FILE.py, FILE.py:Class, module:Class",),
        sections=frozenset(sum(counts[:number]) for number in range(1, len(counts))),
    )


def _with_version(origin: str) -> str:
    return f"{origin} {__version__}" if origin == DISTRIBUTION else origin
