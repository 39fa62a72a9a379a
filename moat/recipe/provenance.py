"""A merged recipe, and the origin of each of its keys."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A merged recipe: its document, the file (or --set) of each key, its study's name."""

    document: Document
    said_in: dict[Key, str]
    study: str
    code: Path | None = None  # whose modules its code imports before others
    overrides: tuple[str, ...] = ()  # each `key=value`, as it was given

    def where(self, *key: str | int) -> str:
        """Return "file, dotted.key", with the file that sets the key or its nearest parent."""
        parts = tuple(str(part) for part in key)
        said = [parts[:n] for n in range(len(parts), -1, -1) if parts[:n] in self.said_in]
        return ", ".join(filter(None, [*(self.said_in[k] for k in said[:1]), self._dotted(parts)]))

    def folder(self, *key: str | int) -> Path:
        """Return the folder of the file that sets a key; for --set the working folder."""
        parts = tuple(str(part) for part in key)
        said = (self.said_in.get(parts[:n]) for n in range(len(parts), -1, -1))
        stated = next(filter(None, said), "")
        return Path() if stated.startswith("--") else Path(stated).parent

    def _dotted(self, parts: Key) -> str:
        """Write a key as TOML would, with dots, and a table in an array by its name."""
        held: Any = self.document
        written = []
        for part in parts:
            in_array = isinstance(held, list) and part.isdigit() and int(part) < len(held)
            held = held[int(part)] if in_array else held.get(part) if is_table(held) else None
            named = in_array and is_table(held) and isinstance(held.get("name"), str)
            written.append(held["name"] if named else part)
        return ".".join(part if _BARE.fullmatch(part) else f'"{part}"' for part in written)


_BARE = re.compile(r"[A-Za-z0-9_-]+")


def items(value: Any, prefix: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Yield every key below a value with what it holds, the value itself first."""
    yield prefix, value
    if isinstance(value, dict):
        for name, held in value.items():
            yield from items(held, (*prefix, name))
    elif isinstance(value, list):
        for index, held in enumerate(value):
            yield from items(held, (*prefix, str(index)))


def forget_below(said_in: dict[Key, str], replaced: Iterable[Key]) -> dict[Key, str]:
    """Forget the origins of the keys below replaced ones."""
    gone = set(replaced)
    return {
        key: file
        for key, file in said_in.items()
        if not any(key[:n] in gone for n in range(len(key)))
    }


def is_table(value: Any) -> bool:
    """Say whether a value of a document is a table."""
    return isinstance(value, dict)
