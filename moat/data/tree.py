"""Image files below a folder or within a zip archive, by category."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath, PurePosixPath
from threading import Lock

from moat.digests import digest_of_parts
from moat.errors import DataError

_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class ImageTree:
    """The image files of a folder or a zip archive, by their path within it, in sorted order.

    Hidden files and folders, and files whose ending is no image's, are left out; `left_out` counts
    them, by ending.
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
    if path.is_dir():
        files, folders, others = _in_folder(path)
        return ImageTree(path, _images(files), _visible(folders), _left_out([*files, *others]))
    try:
        with zipfile.ZipFile(path) as archive:
            inside = {
                one.filename: f"{one.file_size} {one.CRC:08x}"
                for one in archive.infolist()
                if not one.is_dir()
            }
            empty = {one.filename.rstrip("/") for one in archive.infolist() if one.is_dir()}
    except FileNotFoundError as error:
        raise DataError("there is no such folder or archive.", where=str(path.resolve())) from error
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(
            f"this is neither a folder nor a zip archive: {error}", where=str(path.resolve())
        ) from error
    within = {parent.as_posix() for name in inside for parent in PurePosixPath(name).parents}
    return ImageTree(path, _images(inside), _visible(within | empty), _left_out(inside))


def _in_folder(path: Path) -> tuple[dict[str, str], set[str], list[str]]:
    """Return the stamps of the images below a folder, the folders, and the other files' names.

    Links are followed.
    """
    files: dict[str, str] = {}
    folders, entered, others = set(), set(), []
    for here, below, names in os.walk(path, followlinks=True):
        place = Path(here)
        if place.resolve() in entered:  # a link that leads back
            below.clear()
            continue
        entered.add(place.resolve())
        folders.add(place.relative_to(path).as_posix())
        for file in (place / name for name in names):
            if _has_ending(file) and file.is_file():
                status = file.stat()
                files[file.relative_to(path).as_posix()] = f"{status.st_size} {status.st_mtime_ns}"
            else:
                others.append(file.relative_to(path).as_posix())
    return files, folders, others


def _visible(folders: set[str]) -> frozenset[str]:
    """Return the folders that are neither hidden nor the tree itself."""
    return frozenset(folders - {"."} - {f for f in folders if _is_hidden(PurePosixPath(f))})


def _images(files: dict[str, str]) -> dict[str, str]:
    return {name: files[name] for name in sorted(files) if _is_image(PurePosixPath(name))}


def _is_image(path: PurePosixPath) -> bool:
    return _has_ending(path) and not _is_hidden(path)


def _has_ending(path: PurePath) -> bool:
    """Say whether a file ends as those do that torchvision takes for images."""
    from torchvision.datasets.folder import IMG_EXTENSIONS  # here: as long as importing torch

    return path.suffix.lower() in IMG_EXTENSIONS


def _left_out(files: Iterable[str]) -> dict[str, int]:
    """Count the files that are not read, by ending; hidden ones only where they could be images."""
    found: Counter[str] = Counter()
    for path in map(PurePosixPath, files):
        if not _is_hidden(path) and not _has_ending(path):
            found[path.suffix.lower() or "without an ending"] += 1
        elif _is_hidden(path) and _has_ending(path):
            found["hidden"] += 1
    return dict(sorted(found.items()))


def _is_hidden(path: PurePosixPath) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)
