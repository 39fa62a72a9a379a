"""The files of recipes: their text, and the nearest name of a missing one."""

import codecs
import shlex
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

from moat.errors import RecipeError, did_you_mean, nearest_names
from moat.recipe.packaged import nearest_packaged

SAVE_AS_UTF8 = "Save the file as UTF-8; editors call this the encoding."
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_SHOWN = 5
_MOST = 500
"""Files that are looked at for a recipe's name."""


def decoded(content: bytes) -> str:
    """Return the text of a file in UTF-8; UnicodeError names the likely encoding of another.

    A byte order mark, which some editors write, is left out.
    """
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            raise UnicodeError(f"its text is in {encoding}, and not in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnicodeError(
            f"its text is not in UTF-8: line {line} has the byte 0x{content[error.start]:02x}, "
            "as Latin-1 and other encodings have"
        ) from error


def no_such_recipe(path: Path) -> RecipeError:
    """Return the error for a missing recipe, with the nearest existing one."""
    named = path if path.suffix == ".toml" else path.with_name(f"{path.name}.toml")
    found = {str(file): file.stem for file in _recipes_near(path)}
    exact = [file for file, stem in found.items() if stem == named.stem]
    near = nearest_names(named.stem, found.values(), most=1)
    meant = exact or [file for file, stem in found.items() if stem in near]
    mend = f" Did you mean {meant[0]!r}?" if meant else nearest_packaged(str(path))
    return RecipeError(
        f"this recipe does not exist.{mend}",
        where=str(path),
        hint="" if mend else "Give the path of a TOML file, or a name from `moat list recipes`.",
    )


def folder_for_recipe(path: Path) -> RecipeError:
    """Return the error for a folder in place of a recipe, with the recipes in it."""
    names = [file.name for file in _toml_files(path)]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    listed = ", ".join(names[:_SHOWN]) + more
    hint = f"Name one of its files: {listed}." if names else "It contains no TOML file."
    return RecipeError("this is a folder; a recipe is a TOML file.", str(path), hint)


def zip_for_recipe(path: Path) -> RecipeError:
    """Return the error for a zip in place of a recipe: it may be a bundle of results."""
    return RecipeError(
        "this is a zip, perhaps a bundle of results; a recipe is a TOML file.",
        where=str(path),
        hint=f"moat front {shlex.quote(str(path))} shows its runs. To train one again, unpack the "
        "zip and name the recipe.toml in the run's folder.",
    )


def nearest_beside(path: Path) -> str:
    """Return " Did you mean 'x.toml'?" for the nearest recipe in a file's folder, or nothing."""
    stems = [file.stem for file in _toml_files(path.parent)]
    return did_you_mean(path.name, [f"{stem}.toml" for stem in nearest_names(path.stem, stems)])


def _recipes_near(path: Path) -> Iterable[Path]:
    """Return the recipes beside a path, and in ./recipes and the folders below it."""
    beside = _toml_files(path.parent)
    below: list[Path] = []
    with suppress(OSError):
        below = sorted(islice(Path("recipes").rglob("*.toml"), _MOST))
    return dict.fromkeys([*beside, *below])


def _toml_files(folder: Path) -> list[Path]:
    with suppress(OSError, ValueError):
        return sorted(islice(folder.glob("*.toml"), _MOST))
    return []
