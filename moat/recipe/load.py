"""Reading a recipe's TOML, with every recipe that it extends."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

from moat.digests import digest_of_text
from moat.errors import RecipeError
from moat.parsing import SIZE, first_fault, parse_toml
from moat.printable import printable
from moat.recipe.length import with_budget_spelled_out, without_other_length
from moat.recipe.overrides import PATHS, names_path, override, start_tables
from moat.recipe.packaged import file_or_packaged, nearest_packaged, packaged
from moat.recipe.paths import absolute
from moat.recipe.provenance import Document, Key, Source, forget_below, is_table, items
from moat.recipe.recipe_files import (
    SAVE_AS_UTF8,
    decoded,
    folder_for_recipe,
    nearest_beside,
    no_such_recipe,
    zip_for_recipe,
)
from moat.recipe.shorthand import spell_out
from moat.recipe.syntax import mend_of_syntax

_ZIP = b"PK\x03\x04"
LONGEST = 16
"""Recipes that extend one another."""


def read(path: Path | str, overrides: Sequence[str] = ()) -> Source:
    """Read a recipe with all it extends, then apply `key=value` overrides.

    The path is that of a file, or the name of a packaged recipe: `digits_pareto`. Tables merge by
    key; arrays are replaced, and so is a table that names another `type`; `false` removes a table
    of the base. With overrides the study is named `<recipe>+<short hash>`, so that a trial never
    blocks the real one. Raises RecipeError.
    """
    path = file_or_packaged(Path(path))
    _require_name(path)
    document, said_in = _read_file(path, ())
    code = _code_of(document, said_in)
    for text in overrides:
        override(document, said_in, text)
    study = path.stem
    if overrides:
        study += "+" + digest_of_text("\n".join(sorted(overrides)))[:8]
    source = Source(document, said_in, study, code, tuple(overrides))
    require_plain_document(source, dates=True)
    return source


def _code_of(document: Document, said_in: dict[Key, str]) -> Path | None:
    """Take the folder of modules out of a document: it trains nothing, and is not a key."""
    named = document.pop("code", None)
    where = f"{said_in.pop(('code',), '')}, code"
    if named is not None and not isinstance(named, str):
        raise RecipeError(f"code names one folder of modules, not {named!r}.", where=where)
    return named if named is None else Path(named)


def require_plain_document(source: Source, *, dates: bool = False) -> None:
    """Raise RecipeError that names the key of what no recipe holds: see `first_fault`.

    Dates are told by what takes something else, where it says so better.
    """
    if found := first_fault(source.document, dates=dates):
        key, why = found
        raise RecipeError(f"{why}.", where=source.where(*key))


def _require_name(path: Path) -> None:
    """Raise RecipeError where a study could not be called as the recipe's file is."""
    if printable(path.stem) != path.stem:
        raise RecipeError(
            f"a study has the name of its recipe's file, and this name has unprintable "
            f"characters: {path.stem!r}.",
            where=str(path),
            hint="Rename the file.",
        )


def _read_file(path: Path, extending: tuple[Path, ...]) -> tuple[Document, dict[Key, str]]:
    text, resolved = _text_of(path)
    if resolved in extending:
        circle = " → ".join(str(p) for p in (*extending, resolved))
        raise RecipeError(f"the recipe extends itself: {circle}.", where=f"{path}, extends")
    if len(extending) == LONGEST:
        raise RecipeError(
            f"the recipe extends {LONGEST} others, one after another.", where=f"{path}, extends"
        )
    try:
        document = parse_toml(text)
    except ValueError as error:
        raise RecipeError(
            f"this is not valid TOML: {error}.", str(path), mend_of_syntax(text, error)
        ) from error
    spell_out(document)
    with_budget_spelled_out(document, str(path))
    _resolve_paths(document, path)
    said_in = {key: str(path) for key, _ in items(document)}
    base = document.pop("extends", None)
    if base is None:
        return document, said_in
    if not isinstance(base, str):
        raise RecipeError(f"extends names one file, not {base!r}.", where=f"{path}, extends")
    named = path.parent / base
    if not _is_file(named):
        named = packaged(base) or named
    if not _is_file(named):
        near = nearest_beside(named) or nearest_packaged(base)
        raise RecipeError(
            f"no recipe {base!r} exists to extend.{near}",
            where=f"{path}, extends",
            hint=f"Looked for {absolute(base, path.parent, f'{path}, extends')}.",
        )
    below, said_below = _read_file(named, (*extending, resolved))
    below = without_other_length(_without_other_types(below, document), document)
    kept = {key for key, value in items(below) if is_table(value)}
    replaced = [key for key, value in items(document) if not is_table(value) or key not in kept]
    return _merged(below, document), {**forget_below(said_below, replaced), **said_in}


def _text_of(path: Path) -> tuple[str, Path]:
    """Return what a recipe's file says, no more than is read of it, and where the file lies."""
    try:
        with path.open("rb") as file:
            content = file.read(4 * SIZE + 1)
        if not content.startswith(_ZIP):
            return decoded(content), path.resolve()
    except FileNotFoundError as error:
        raise no_such_recipe(path) from error
    except IsADirectoryError as error:
        raise folder_for_recipe(path) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL, a text not in UTF-8
        raise RecipeError(
            f"the recipe cannot be read: {getattr(error, 'strerror', None) or error}.",
            where=str(path),
            hint=SAVE_AS_UTF8 if isinstance(error, UnicodeError) else "",
        ) from error
    raise zip_for_recipe(path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _resolve_paths(document: Document, file: Path) -> None:
    for table, key in PATHS:
        held = document.get(table)
        if isinstance(held, dict) and names_path((table, key), held.get(key)):
            held[key] = absolute(held[key], file.parent, f"{file}, {table}.{key}")
    for key, start in start_tables(document):
        start["weights"] = absolute(start["weights"], file.parent, f"{file}, {key}", is_start=True)
    if isinstance(code := document.get("code"), str):
        document["code"] = absolute(code, file.parent, f"{file}, code")
    if isinstance(plugins := document.get("plugins"), list):
        document["plugins"] = [
            absolute(name, file.parent, f"{file}, plugins") if isinstance(name, str) else name
            for name in plugins
        ]


def _without_other_types(below: Document, above: Document, *key: str) -> Document:
    """Leave out the tables whose `type` is said anew: their keys belong to the other type."""
    kept: Document = {}
    for name, held in below.items():
        said = above.get(name)
        if isinstance(held, dict) and isinstance(said, dict):
            label = name if key == ("threats",) else None  # a threat's type, where none is given
            before, now = held.get("type", label), said.get("type")
            if None not in (before, now) and before != now:
                continue
            held = _without_other_types(held, said, *key, name)
        kept[name] = held
    return kept


def _merged(below: Document, above: Document) -> Document:
    merged = deepcopy(below)
    for key, value in above.items():
        held = merged.get(key)
        if isinstance(held, dict) and value is False:
            del merged[key]  # the base's table is left out
        elif isinstance(held, dict) and isinstance(value, dict):
            merged[key] = _merged(held, value)
        else:
            merged[key] = value
    return merged
