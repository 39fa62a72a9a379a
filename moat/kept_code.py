"""The files in a run's `code` folder that belong to the run, by its record or its list."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

CODE = "code"
"""The folder in a run's own."""
CODE_LIST = ".moat-files.json"
"""The file in that folder which lists the files that moat wrote there, with their digests."""


def code_digests(root: Path) -> dict[str, set[str]] | None:
    """Return the digests of each file of a folder of code by its place; None if nothing says so.

    The run's record names them, and the folder's own list, which is written before its files. Runs
    of older moats, and folders that are not a run's, have neither.
    """
    if root.name != CODE or not root.is_dir():
        return None
    known = [*_listed(root / CODE_LIST), *_recorded(root)]
    if not known:
        return None
    found: dict[str, set[str]] = {}
    for files in known:
        for place, digests in files.items():
            found.setdefault(place, set()).update(digests)
    return found


def own_code(root: Path) -> dict[str, Path]:
    """Return the Python files below a folder of code by their places, without a stranger's."""
    known = code_digests(root)
    files = sorted(path for path in root.rglob("*.py") if path.is_file())
    found = {path.relative_to(root).as_posix(): path for path in files}
    return {place: path for place, path in found.items() if known is None or place in known}


def strange_code(root: Path) -> set[Path]:
    """Return the Python files below a folder of code that are not the run's own."""
    if code_digests(root) is None:
        return set()
    return set(root.rglob("*.py")) - set(own_code(root).values())


def _listed(path: Path) -> Iterator[dict[str, list[str]]]:
    """Yield what a list of files says, if it can be read."""
    files = _table(path).get("files")
    if isinstance(files, Mapping):
        yield {place: _texts(digests) for place, digests in files.items()}


def _recorded(root: Path) -> Iterator[dict[str, list[str]]]:
    """Yield what the record of the run says whose code this is, if it knows digests."""
    files = _table(root.with_name("run.json")).get("files")
    if isinstance(files, Mapping):
        inner = f"{CODE}/"
        own = {place: digest for place, digest in files.items() if place.startswith(inner)}
        yield {place.removeprefix(inner): _texts([digest]) for place, digest in own.items()}


def _table(path: Path) -> Mapping[str, Any]:
    """Return the table in a JSON file, an empty one where none can be read."""
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(path.read_bytes())
        if isinstance(found, Mapping):
            return found
    return {}


def _texts(values: object) -> list[str]:
    return [one for one in values if isinstance(one, str)] if isinstance(values, list) else []
