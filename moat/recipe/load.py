"""Reading TOML: `extends`, `--set`, and where each key was said."""

import tomllib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from moat.errors import RecipeError

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
        """Write a key with dots, and a table in an array by its name."""
        held: Any = self.document
        written = []
        for part in parts:
            in_array = isinstance(held, list) and part.isdigit() and int(part) < len(held)
            held = held[int(part)] if in_array else held.get(part) if _is_table(held) else None
            named = in_array and _is_table(held) and isinstance(held.get("name"), str)
            written.append(held["name"] if named else part)
        return ".".join(written)


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
    return Source(document, said_in, study)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _read_file(path: Path, extending: tuple[Path, ...]) -> tuple[Document, dict[Key, str]]:
    if path.resolve() in extending:
        circle = " → ".join(str(p) for p in (*extending, path.resolve()))
        raise RecipeError(f"the recipe extends itself: {circle}.", where=f"{path}, extends")
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"this is no valid TOML: {error}.", where=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"the recipe cannot be read: {getattr(error, 'strerror', None) or error}.",
            where=str(path),
            hint=f"Extended by {extending[-1]}." if extending else "",
        ) from error
    _resolve_paths(document, path.parent)
    said_in = {key: str(path) for key in _keys(document)}
    base = document.pop("extends", None)
    if base is None:
        return document, said_in
    if not isinstance(base, str):
        raise RecipeError(f"extends names one file, not {base!r}.", where=f"{path}, extends")
    below, said_below = _read_file(path.parent / base, (*extending, path.resolve()))
    return _merged(below, document), {**said_below, **said_in}


def _resolve_paths(document: Document, folder: Path) -> None:
    for table, key in PATHS:
        held = document.get(table)
        if isinstance(held, dict) and isinstance(held.get(key), str):
            held[key] = str((folder / Path(held[key]).expanduser()).resolve())
    if isinstance(document.get("plugins"), list):
        document["plugins"] = [str((folder / str(p)).resolve()) for p in document["plugins"]]


def _keys(value: Any, prefix: Key = ()) -> list[Key]:
    keys = [prefix]
    if isinstance(value, dict):
        for name, held in value.items():
            keys += _keys(held, (*prefix, name))
    elif isinstance(value, list):
        for index, held in enumerate(value):
            keys += _keys(held, (*prefix, str(index)))
    return keys


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
    if not equals or not key.strip():
        raise RecipeError("an override is written key=value.", where=where)
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    path = tuple(part.strip() for part in key.split("."))
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
    for part in path[:-1]:
        if isinstance(held, list):
            names = [str(table.get("name")) for table in held]
            if part not in names:
                raise RecipeError(
                    f"{'.'.join(walked)} has no {part!r}.",
                    where=where,
                    hint=f"known: {', '.join(names)}",
                )
            position = names.index(part)
            held, walked = held[position], (*walked, str(position))
        else:
            if isinstance(held.get(part), str):
                held[part] = {"type": held[part]}  # `scalarizer = "max"` is short for a table
            held, walked = held.setdefault(part, {}), (*walked, part)
        if not isinstance(held, dict | list):
            raise RecipeError(f"{'.'.join(walked)} is no table, but {held!r}.", where=where)
    if isinstance(held, list):
        raise RecipeError(
            f"{'.'.join(walked)} is an array of tables.", where=where, hint="Name a key of one."
        )
    held[path[-1]] = value
    return _keys(value, (*walked, path[-1]))
