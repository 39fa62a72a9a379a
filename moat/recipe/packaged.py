"""The packaged recipes by name: `digits_pareto`, `protocols/digits_strong`."""

import re
from collections import Counter
from itertools import takewhile
from pathlib import Path

from moat.catalogue import CatalogueEntry
from moat.errors import did_you_mean
from moat.other_moats import DISTRIBUTION

_PACKAGE = Path(__file__).parents[1]
DEMO = "digits_pareto"
"""The demo's recipe: its data come with moat, too."""


def packaged_folder() -> Path:
    """Return their folder: inside an installed package, beside it in a checkout."""
    inside = _PACKAGE / "recipes"
    return inside if inside.is_dir() else _PACKAGE.with_name("recipes")


def packaged_recipes() -> dict[str, Path]:
    """Return each recipe by its name: its path below the folder, without the suffix.

    Example:
        >>> "protocols/digits_strong" in packaged_recipes()
        True
    """
    folder = packaged_folder()
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in sorted(folder.rglob("*.toml"))
    }


def recipe_catalogue() -> list[CatalogueEntry]:
    """Return each recipe with the first sentence of its opening comment."""
    return [
        CatalogueEntry(name, DISTRIBUTION, _about(path))
        for name, path in packaged_recipes().items()
    ]


def packaged(name: str) -> Path | None:
    """Return the recipe of that name, or with that unique last part of a name; None otherwise.

    Example:
        >>> packaged("digits_strong") == packaged("protocols/digits_strong")
        True
        >>> packaged("digits")  # base/digits, protocols/digits
    """
    return _by_name().get(name)


def file_or_packaged(path: Path) -> Path:
    """Return a recipe's path or, if no file is there, the packaged recipe of that name."""
    try:
        there = path.exists() and not path.is_dir()
    except (OSError, ValueError):  # what cannot be a path: reading it says why
        there = True
    return path if there else packaged(path.as_posix()) or path


def nearest_packaged(text: str) -> str:
    """Return a question with the nearest packaged recipe, or nothing.

    Example:
        >>> nearest_packaged("recipes/digits_pareto.toml")
        " Did you mean 'digits_pareto', which comes with moat?"
        >>> nearest_packaged("base/digits.toml")
        " Did you mean 'base/digits', which comes with moat?"
    """
    known = _by_name()
    path = Path(text)
    if not path.suffix:
        return did_you_mean(text, known).replace("?", ", which comes with moat?")
    parts = path.with_suffix("").parts
    names = ("/".join(parts[first:]) for first in range(len(parts)))
    near = next((name for name in names if name in known), None)
    return "" if near is None else f" Did you mean {near!r}, which comes with moat?"


def _by_name() -> dict[str, Path]:
    found = packaged_recipes()
    counts = Counter(path.stem for path in found.values())
    stems = {path.stem: path for path in found.values() if counts[path.stem] == 1}
    return {**stems, **found}


def _about(path: Path) -> str:
    lines = takewhile(lambda line: line.startswith("#"), path.read_text("utf-8").splitlines())
    comment = " ".join(line.lstrip("# ") for line in lines)
    return re.split(r"(?<=\.) (?=[A-Z])", comment, maxsplit=1)[0]
