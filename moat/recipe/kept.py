"""A run's own recipe, as its folder keeps it: paths seen from there, and the code beside it."""

import os
from copy import deepcopy
from pathlib import Path

from moat.recipe.code import code_root, kept_files
from moat.recipe.overrides import PATHS, names_path
from moat.recipe.source import Document
from moat.runs import CODE


def kept_recipe(document: Document, run: Path) -> tuple[Document, dict[str, bytes]]:
    """Return the recipe that a run's folder keeps, and its files of code by their places.

    What a folder keeps is whole wherever it is carried: no path in it names this machine.
    """
    kept = deepcopy(document)
    plugins, files = kept_files(document, code_root(document))
    if "plugins" in document:
        kept["plugins"] = [f"{CODE}/{place}" for place in plugins]
    kept.pop("code", None)
    if files:
        kept = {"code": CODE, **kept}
    for table, key in PATHS:
        held = kept.get(table)
        if isinstance(held, dict) and names_path((table, key), held.get(key)):
            held[key] = seen_from(held[key], run)
    return kept, {place: file.read_bytes() for place, file in files.items()}


def seen_from(path: Path | str, folder: Path) -> str:
    """Return a path as seen from a folder; as it is where no way leads there, as on another drive.

    Example:
        >>> seen_from("/data/mnist", Path("/results/study"))
        '../../data/mnist'
    """
    try:
        seen = Path(os.path.relpath(Path(path).resolve(), folder.resolve())).as_posix()
    except (OSError, RuntimeError, ValueError):
        return str(path)
    return seen if "/" in seen else f"./{seen}"
