"""Image files below a folder or within a zip archive, by category."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from threading import Lock

from torchvision.datasets.folder import IMG_EXTENSIONS

from moat.errors import DataError

_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class ImageTree:
    """The image files of a folder or a zip archive, by their path within it, in sorted order.

    Hidden files and folders, and files whose ending is no image's, are left out.
    """

    path: Path
    stamps: dict[str, str]  # size and time, or checksum: what tells a changed file

    @cached_property
    def _archive(self) -> zipfile.ZipFile | None:
        return zipfile.ZipFile(self.path) if self.path.is_file() else None

    def read(self, name: str) -> bytes:
        """Return what a file holds; several threads may ask at once."""
        with _ONE_AT_A_TIME:  # an open archive counts its readers without a lock
            if self._archive:
                return self._archive.read(name)
        return (self.path / name).read_bytes()

    def categories(self, below: str = "") -> dict[str, list[str]]:
        """Return the files of each folder directly below one, at any depth in it, both sorted."""
        prefix = f"{below}/" if below else ""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.stamps:
            category, slash, _ = name.removeprefix(prefix).partition("/")
            if name.startswith(prefix) and slash:
                found[category].append(name)
        return dict(found)

    def digest(self, names: Iterable[str]) -> str:
        """Return 16 hex digits that change when one of these files does."""
        found = sha256()
        for name in names:
            found.update(f"{name}\0{self.stamps[name]}\n".encode())
        return found.hexdigest()[:16]


def read_tree(path: Path) -> ImageTree:
    """List a folder or a zip archive; raise DataError where it is neither."""
    if path.is_dir():
        return ImageTree(path, _images(_in_folder(path)))
    try:
        with zipfile.ZipFile(path) as archive:
            inside = {
                one.filename: f"{one.file_size} {one.CRC:08x}"
                for one in archive.infolist()
                if not one.is_dir()
            }
    except FileNotFoundError as error:
        raise DataError("there is no such folder or archive.", where=str(path.resolve())) from error
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(
            f"this is neither a folder nor a zip archive: {error}", where=str(path.resolve())
        ) from error
    return ImageTree(path, _images(inside))


def _in_folder(path: Path) -> dict[str, str]:
    found = {}
    for file in path.rglob("*"):
        if file.suffix.lower() in IMG_EXTENSIONS and file.is_file():
            status = file.stat()
            stamp = f"{status.st_size} {status.st_mtime_ns}"
            found[file.relative_to(path).as_posix()] = stamp
    return found


def _images(files: dict[str, str]) -> dict[str, str]:
    return {name: files[name] for name in sorted(files) if _is_image(PurePosixPath(name))}


def _is_image(path: PurePosixPath) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in IMG_EXTENSIONS and not hidden
