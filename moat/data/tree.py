"""Image files below a folder or within a zip archive, by category."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from threading import Lock

from moat.data.listing import in_archive, in_folder
from moat.digests import digest_of_parts
from moat.errors import DataError
from moat.paths import require_path

_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class ImageTree:
    """The image files of a folder or a zip archive, by their path within it, in sorted order.

    Hidden files and folders, files without an image's ending, and anything but files are left out:
    `left_out` counts them, by ending or by kind.
    """

    path: Path
    stamps: dict[str, str]  # size and time, or size and checksum: what tells a changed file
    folders: frozenset[str] = frozenset()  # all of them, those without an image too
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_archive(self) -> bool:
        """Whether it is a zip archive."""
        return self.path.is_file()

    @cached_property
    def _archive(self) -> zipfile.ZipFile | None:
        return zipfile.ZipFile(self.path) if self.is_archive else None

    def read(self, name: str) -> bytes:
        """Return what a file holds; several threads may ask at once."""
        with _ONE_AT_A_TIME:  # an open archive counts its readers without a lock
            if self._archive:
                return self._archive.read(name)
        return (self.path / name).read_bytes()

    def categories(self, below: str = "") -> dict[str, list[str]]:
        """Return the files of each folder directly below one, at any depth in it, both sorted.

        A folder without an image is among them.
        """
        found: dict[str, list[str]] = {
            PurePosixPath(folder).name: []
            for folder in sorted(self.folders)
            if PurePosixPath(folder).parent == PurePosixPath(below)
        }
        depth = len(PurePosixPath(below).parts)
        for name in self.stamps:
            parts = PurePosixPath(name).parts
            if parts[:depth] == PurePosixPath(below).parts and len(parts) > depth + 1:
                found.setdefault(parts[depth], []).append(name)
        return dict(sorted(found.items()))

    def digest(self, names: Iterable[str]) -> str:
        """Return 16 hex digits that change when one of these files does, or the folder's place.

        The checksums of an archive tell its content wherever it lies.
        """
        place = b"" if self.is_archive else os.fsencode(self.path.resolve())
        stamps = (f"{name}\0{self.stamps[name]}\n" for name in names)
        return digest_of_parts([place, *(one.encode("utf-8", "surrogateescape") for one in stamps)])


def read_tree(path: Path) -> ImageTree:
    """List a folder or a zip archive; raise DataError where it is neither."""
    if require_path(path, DataError).is_dir():
        listed = in_folder(path)
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                listed = in_archive(archive.infolist())
        except FileNotFoundError as error:
            why = "the folder or archive does not exist."
            raise DataError(why, where=str(path.resolve())) from error
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(
                f"this is neither a folder nor a zip archive: {error}", where=str(path.resolve())
            ) from error
    return ImageTree(path, listed.stamps, listed.folders, listed.left_out)
