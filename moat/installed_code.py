"""Files that a distribution installed, in whatever folder: site-packages, or one of `--target`."""

import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_FOLDERS = {"site-packages", "dist-packages"}


def is_installed(file: Path) -> bool:
    """Say whether a file is Python's own or of an installed distribution.

    The folder of the packages need not be called site-packages: a distribution's metadata beside
    them list its files. An editable installation lists none, so its files are the user's.
    """
    standard = Path(sysconfig.get_path("stdlib"))
    return any(
        not _FOLDERS.isdisjoint(one.parts) or one.is_relative_to(standard) or _is_listed(one)
        for one in {file, file.resolve()}
    )


def _is_listed(file: Path) -> bool:
    """Say whether metadata in a folder above a file list it, or the package that it is in."""
    for folder in file.absolute().parents:
        with suppress(OSError):
            names = _listed_in(folder, folder.stat().st_mtime_ns)
            place = file.absolute().relative_to(folder)
            if place.as_posix() in names or place.parts[0] in names:
                return True
    return False


@lru_cache(maxsize=256)
def _listed_in(folder: Path, _changed: int) -> frozenset[str]:
    """Return the Python files that the distributions in a folder list, or their packages' names."""
    found: set[str] = set()
    for metadata in folder.glob("*.dist-info"):
        found.update(_names_of(metadata))
    return frozenset(found)


def _names_of(metadata: Path) -> Iterator[str]:
    """Yield the Python files of a distribution; without a list of them, its modules' names."""
    with suppress(OSError):
        lines = (metadata / "RECORD").read_text("utf-8", "replace").splitlines()
        yield from (place for line in lines if (place := line.partition(",")[0]).endswith(".py"))
        return
    names = [metadata.name.partition("-")[0]]
    with suppress(OSError):
        names = (metadata / "top_level.txt").read_text("utf-8", "replace").split()
    for name in names:
        yield from (name, f"{name}.py")
