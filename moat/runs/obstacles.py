"""Obstacles in the place of a file or a folder of moat's."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from moat.errors import RunFolderError
from moat.storage import disk


@dataclass(frozen=True)
class Layout:
    """The names in a folder: of files, of the lock's file, of folders."""

    files: tuple[str, ...]
    lock: str
    folders: tuple[str, ...]


def obstacles_in(folder: Path, layout: Layout) -> dict[Path, str]:
    """Return the obstacles of a run in a folder, each with its kind."""
    found = {folder: _not_a_folder(folder)}
    if not found[folder]:
        found |= {folder / name: _not_a_file(folder / name) for name in layout.files}
        found |= {folder / name: _not_a_folder(folder / name) for name in layout.folders}
        lock = folder / layout.lock
        found[lock] = "a link" if lock.is_symlink() else _not_a_file(lock) or _not_a_lock(lock)
    return {path: what for path, what in found.items() if what}


def require_clear_way(found: Mapping[Path, str]) -> None:
    """Raise RunFolderError with the first obstacle."""
    for path, what in found.items():
        raise RunFolderError(
            f"cannot write: {what} is in the place of moat's own.",
            where=str(path),
            hint="Nothing was written. Move it away; or use --overwrite, which moves it aside.",
        )


def set_aside(found: Iterable[Path]) -> list[str]:
    """Rename the obstacles, each to a free name beside the original; return the changes."""
    moved = []
    for path in found:
        with disk(path):
            kept = next(name for name in _free_names(path) if not _is_there(name))
            path.rename(kept)
        moved.append(f"{path} (kept as {kept.name})")
    return moved


def _free_names(path: Path) -> Iterable[Path]:
    yield path.with_name(f"{path.name}.kept")
    number = 2
    while True:
        yield path.with_name(f"{path.name}.kept-{number}")
        number += 1


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _not_a_file(path: Path) -> str:
    """Return what stands in the place of a file, nothing where it is one or free."""
    if path.is_dir():
        return "a folder"
    if not path.exists():
        return "a link to a missing file" if path.is_symlink() else ""
    return "" if path.is_file() else "a pipe, a socket or a device"


def _not_a_lock(path: Path) -> str:
    """Return what stands in the place of a lock, whose file is emptied when it is taken."""
    with suppress(OSError):
        content = path.read_bytes()
        return "" if not content or content[:1].isdigit() else "a file that is not moat's"
    return ""


def _not_a_folder(path: Path) -> str:
    """Return what stands in the place of a folder, nothing where it is one or free."""
    if path.is_dir():
        return ""
    if not path.exists():
        return "a link to a missing file" if path.is_symlink() else ""
    return "a file"
