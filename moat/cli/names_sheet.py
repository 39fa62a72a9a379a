"""What a recipe can name, as a table."""

from collections.abc import Sequence

from moat.catalogue import CatalogueEntry
from moat.sheets import Sheet
from moat.version import __version__

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
    return Sheet(("name", "from", f"what the {_SINGULAR[kind]} is"), rows, "lll", notes=notes)


def _with_version(origin: str) -> str:
    return f"{origin} {__version__}" if origin == "moat" else origin
