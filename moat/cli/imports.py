"""The names for a recipe, after the import of every package."""

from importlib import import_module

from moat.catalogue import ROOMS, CatalogueEntry
from moat.registry import Registry


def imported(kind: str) -> list[CatalogueEntry]:
    """Return what is registered under a kind; an error says why something cannot be imported."""
    room = import_module(f"moat.{ROOMS.get(kind, kind)}")
    registry: Registry[object] = room.registry
    return [
        CatalogueEntry(entry.name, entry.origin, _first_line(entry.value), entry.error)
        for entry in registry.entries()
    ]


def _first_line(cls: type | None) -> str:
    return ((cls and cls.__doc__) or "").partition("\n")[0]
