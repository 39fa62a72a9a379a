"""A run's own recipe in its folder: paths relative to the folder, code beside it."""

from copy import deepcopy
from pathlib import Path

from moat.recipe.code import kept_files
from moat.recipe.overrides import PATHS, names_path, start_tables
from moat.recipe.provenance import Document
from moat.runs import CODE, seen_from

_VALUES = ("sweep", "path")
"""The tables of a variant whose lists have one value in a run's own recipe."""


def kept_recipe(
    document: Document, run: Path, root: Path | None = None
) -> tuple[Document, dict[str, bytes]]:
    """Return the recipe that a run's folder keeps, and its files of code by their places.

    Modules in the folder `root` come first. The folder can be moved anywhere: it has no path of
    this machine.
    """
    kept = deepcopy(document)
    plugins, files = kept_files(document, root)
    if "plugins" in document:
        kept["plugins"] = [f"{CODE}/{place}" for place in plugins]
    if files:
        kept = {"code": CODE, **kept}
    for table, key in PATHS:
        held = kept.get(table)
        if isinstance(held, dict) and names_path((table, key), held.get(key)):
            held[key] = _seen_from(held[key], run)
    for table in (one[name] for one in kept.get("variant", []) for name in _VALUES if name in one):
        for key, values in table.items():
            if names_path(tuple(key.split(".")), values[0]) and Path(values[0]).is_absolute():
                values[0] = _seen_from(values[0], run)
    for _, start in start_tables(kept):
        if Path(start["weights"]).is_absolute():
            start["weights"] = seen_from(start["weights"], run)
    return kept, {place: file.read_bytes() for place, file in files.items()}


def _seen_from(path: str, run: Path) -> str:
    """Return a path from a run's folder; a plain name might be that of published weights."""
    seen = seen_from(path, run)
    return seen if "/" in seen else f"./{seen}"
