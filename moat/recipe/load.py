"""Reading TOML: `extends`, `--set`, and where each key was said."""

import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from moat.errors import RecipeError, did_you_mean

Document = dict[str, Any]
Key = tuple[str, ...]

PATHS = (("data", "root"), ("model", "weights"))
"""Keys whose strings are paths, read from the folder of the file that names them."""


@dataclass(frozen=True)
class Source:
    """A merged recipe: its document, the file (or --set) that said each key, its study's name."""

    document: Document
    said_in: dict[Key, str]
    study: str

    def where(self, *key: str | int) -> str:
        """Return "file, dotted.key", the file being the one that said the key or its nearest."""
        parts = tuple(str(part) for part in key)
        said = [parts[:n] for n in range(len(parts), -1, -1) if parts[:n] in self.said_in]
        return ", ".join(filter(None, [*(self.said_in[k] for k in said[:1]), self._dotted(parts)]))

    def _dotted(self, parts: Key) -> str:
        """Write a key as TOML would, with dots, and a table in an array by its name."""
        held: Any = self.document
        written = []
        for part in parts:
            in_array = isinstance(held, list) and part.isdigit() and int(part) < len(held)
            held = held[int(part)] if in_array else held.get(part) if _is_table(held) else None
            named = in_array and _is_table(held) and isinstance(held.get("name"), str)
            written.append(held["name"] if named else part)
        return ".".join(part if _BARE.fullmatch(part) else f'"{part}"' for part in written)


def read(path: Path | str, overrides: Sequence[str] = ()) -> Source:
    """Read a recipe with all it extends, then apply `key=value` overrides.

    Tables merge by key, arrays are replaced. With overrides the study is named
    `<recipe>+<short hash>`, so that a trial never blocks the real one. Raises RecipeError.
    """
    path = Path(path)
    document, said_in = _read_file(path, ())
    for override in overrides:
        _override(document, said_in, override)
    study = path.stem
    if overrides:
        study += "+" + sha256("\n".join(sorted(overrides)).encode()).hexdigest()[:8]
    source = Source(document, said_in, study)
    for key, value in _items(document):
        if isinstance(value, float) and not math.isfinite(value):
            raise RecipeError(f"a number is finite, not {value}.", where=source.where(*key))
    return source


_BARE = re.compile(r"[A-Za-z0-9_-]+")


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _read_file(path: Path, extending: tuple[Path, ...]) -> tuple[Document, dict[Key, str]]:
    if path.resolve() in extending:
        circle = " → ".join(str(p) for p in (*extending, path.resolve()))
        raise RecipeError(f"the recipe extends itself: {circle}.", where=f"{path}, extends")
    try:
        document = tomllib.loads(path.read_text("utf-8-sig"))  # some editors write a mark first
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"this is no valid TOML: {error}.", where=str(path)) from error
    except FileNotFoundError as error:
        raise RecipeError(f"there is no such recipe.{_nearest(path)}", where=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"the recipe cannot be read: {getattr(error, 'strerror', None) or error}.",
            where=str(path),
        ) from error
    _resolve_paths(document, path.parent)
    said_in = {key: str(path) for key in _keys(document)}
    base = document.pop("extends", None)
    if base is None:
        return document, said_in
    if not isinstance(base, str):
        raise RecipeError(f"extends names one file, not {base!r}.", where=f"{path}, extends")
    named = path.parent / base
    if not named.exists():
        raise RecipeError(
            f"there is no recipe {base!r} to extend.{_nearest(named)}",
            where=f"{path}, extends",
            hint=f"Looked for {named.resolve()}.",
        )
    below, said_below = _read_file(named, (*extending, path.resolve()))
    return _merged(below, document), {**said_below, **said_in}


def _nearest(path: Path) -> str:
    near = [p.name for p in path.parent.glob("*.toml") if did_you_mean(path.stem, [p.stem])]
    return did_you_mean(path.name, near)


def _resolve_paths(document: Document, folder: Path) -> None:
    for table, key in PATHS:
        held = document.get(table)
        if isinstance(held, dict) and isinstance(held.get(key), str):
            held[key] = str((folder / Path(held[key]).expanduser()).resolve())
    if isinstance(plugins := document.get("plugins"), list):
        document["plugins"] = [
            str((folder / file).resolve()) if isinstance(file, str) else file for file in plugins
        ]


def _items(value: Any, prefix: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Yield every key below a value with what it holds, the value itself first."""
    yield prefix, value
    if isinstance(value, dict):
        for name, held in value.items():
            yield from _items(held, (*prefix, name))
    elif isinstance(value, list):
        for index, held in enumerate(value):
            yield from _items(held, (*prefix, str(index)))


def _keys(value: Any, prefix: Key = ()) -> list[Key]:
    return [key for key, _ in _items(value, prefix)]


def _merged(below: Document, above: Document) -> Document:
    merged = deepcopy(below)
    for key, value in above.items():
        held = merged.get(key)
        both = isinstance(held, dict) and isinstance(value, dict)
        merged[key] = _merged(held, value) if both else value  # type: ignore[arg-type]
    return merged


def _override(document: Document, said_in: dict[Key, str], text: str) -> None:
    """Apply one `key=value`; the value is TOML, or a string where it is none."""
    key, equals, value = text.partition("=")
    where = f"--set {text}"
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        raise RecipeError(
            "an override is written key=value, and a key with dots, as in data.validation=0.1.",
            where=where,
        )
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    if path in PATHS and isinstance(parsed, str):
        parsed = str(Path(parsed).expanduser().resolve())
    for said in set_key(document, path, parsed, where):
        said_in[said] = where


def set_key(document: Document, path: Key, value: Any, where: str) -> list[Key]:
    """Set a dotted key, its tables made if need be; return the keys that were said thereby.

    An array of tables is entered by the `name` of one: variant.pareto.scalarizer.window.
    """
    held: Any = document
    walked: Key = ()
    made: list[Key] = []
    for part in path[:-1]:
        if isinstance(held, list):
            names = [str(table.get("name")) if _is_table(table) else "" for table in held]
            if part not in names:
                raise RecipeError(
                    f"{'.'.join(walked)} has no {part!r}.{did_you_mean(part, names)}",
                    where=where,
                    hint=f"known: {', '.join(names)}",
                )
            position = names.index(part)
            held, walked = held[position], (*walked, str(position))
        else:
            walked = (*walked, part)
            if part not in held:
                made.append(walked)
            if part == "scalarizer" and isinstance(held.get(part), str):
                held[part] = {"type": held[part]}  # `scalarizer = "max"` is short for a table
            held = held.setdefault(part, {})
        if not isinstance(held, dict | list):
            raise RecipeError(f"{'.'.join(walked)} is no table, but {held!r}.", where=where)
    if isinstance(held, list):
        raise RecipeError(
            f"{'.'.join(walked)} is an array, whose entries are reached by their names.",
            where=where,
            hint="Write a whole array, or a key of one entry, as in variant.NAME.scalarizer.r.",
        )
    held[path[-1]] = value
    return [*made, *_keys(value, (*walked, path[-1]))]
