"""Other projects' distributions with a module `moat`: on PyPI that name is taken."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

DISTRIBUTION = "moat-robust"
"""The name of this project's distribution."""
REINSTALL = "pip uninstall {name}, then install moat-robust again"


@dataclass(frozen=True)
class OtherMoat:
    """Another distribution with a module `moat`, and the folder that it is installed in.

    `former` is true of this project's own, installed under its former name.
    """

    name: str
    version: str
    folder: Path
    former: bool = False

    @property
    def mend(self) -> str:
        """The command that uninstalls it, together with the files that both brought."""
        return REINSTALL.format(name=self.name)


def other_moats(folders: Iterable[str] | None = None) -> list[OtherMoat]:
    """Return the distributions in some folders, sys.path's by default, that bring another `moat`.

    Only folders of metadata whose name begins with `moat` are read, so that it takes a millisecond.
    """
    found: dict[Path, OtherMoat] = {}
    for folder in map(Path, sys.path if folders is None else folders):
        for metadata in _metadata_in(folder):
            with suppress(OSError, ValueError, KeyError):
                if other := _other(Distribution.at(metadata), folder):
                    found[metadata.resolve()] = other
    return list(found.values())


def warning() -> str:
    """Return a sentence on other projects' distributions with a module `moat`, "" without any."""
    others = [other for other in other_moats() if not other.former]
    if not others:
        return ""
    named = " and ".join(f"{one.name} {one.version} in {one.folder}" for one in others)
    return (
        f"moat-robust: another project's `moat` is installed beside this one, {named}, and may "
        f"replace its module and command: {others[0].mend}."
    )


def _metadata_in(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if path.name.startswith("moat") and path.suffix in (".dist-info", ".egg-info"):
                yield path


def _other(distribution: Distribution, folder: Path) -> OtherMoat | None:
    name = str(distribution.metadata["Name"])
    if name.replace("_", "-").lower() == DISTRIBUTION:
        return None
    former = "moat.cli:main" in (distribution.read_text("entry_points.txt") or "")
    if name.lower() != "moat" and not _brings_moat(distribution):
        return None
    return OtherMoat(name, distribution.version, folder, former)


def _brings_moat(distribution: Distribution) -> bool:
    """Say whether a distribution's list of files has any in a folder `moat`."""
    files = distribution.read_text("RECORD") or distribution.read_text("SOURCES.txt") or ""
    return any(line.startswith(("moat/", "moat.py,")) for line in files.splitlines())
