"""The contents of a folder or a zip archive: images, folders and omitted files."""

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath


@dataclass(frozen=True)
class Listed:
    """Images by their names, with what tells a changed one, and the folders; nothing hidden.

    What else is there is counted, by ending or by what it is.
    """

    stamps: dict[str, str]
    folders: frozenset[str]
    left_out: Mapping[str, int]


def in_archive(entries: Sequence[zipfile.ZipInfo]) -> Listed:
    """List an archive; of several files of one name the last counts."""
    files = [one for one in entries if not one.is_dir()]
    inside = {one.filename: f"{one.file_size} {one.CRC:08x}" for one in files}
    folders = {one.filename.rstrip("/") for one in entries if one.is_dir()}
    folders |= {parent.as_posix() for name in inside for parent in PurePosixPath(name).parents}
    return _listed(inside, folders, inside, ["file named twice"] * (len(files) - len(inside)))


def in_folder(path: Path) -> Listed:
    """List a folder. Links are followed, and each folder is entered once."""
    files: dict[str, str] = {}
    folders, entered, names, others = set[str](), set[Path](), list[str](), list[str]()

    def cannot_be_read(error: OSError) -> None:
        others.append("folder that cannot be read")

    for here, below, inside in os.walk(path, onerror=cannot_be_read, followlinks=True):
        place = Path(here)
        if place.resolve() in entered:  # a link that leads back, or to what another leads to
            below.clear()
            others.append("link to a folder that is read")
            continue
        entered.add(place.resolve())
        folders.add(place.relative_to(path).as_posix())
        below.sort()  # so that of two links the same is followed everywhere
        for file in (place / name for name in inside):
            name = file.relative_to(path).as_posix()
            if not _is_hidden(PurePosixPath(name)) and (why := _why_no_file(file)):
                others.append(why)
            elif _is_image(PurePosixPath(name)):
                status = file.stat()
                files[name] = f"{status.st_size} {status.st_mtime_ns}"
            else:
                names.append(name)
    return _listed(files, folders, names, others)


def _listed(
    files: Mapping[str, str], folders: set[str], names: Iterable[str], others: Sequence[str]
) -> Listed:
    """Return the list; `others` says what is neither an image nor, as `names`, another file."""
    images = {name: files[name] for name in sorted(files) if _is_image(PurePosixPath(name))}
    visible = frozenset(f for f in folders - {"."} if not _is_hidden(PurePosixPath(f)))
    called_so = [folder for folder in visible if _has_ending(PurePosixPath(folder))]
    empty = [f for f in called_so if not any(name.startswith(f"{f}/") for name in images)]
    whats = [*others, *_endings(names), *["folder named like an image"] * len(empty)]
    return Listed(images, visible, dict(sorted(Counter(whats).items())))


def _endings(names: Iterable[str]) -> Iterable[str]:
    """Yield the ending of each file that is not read; a hidden one counts if it could be read."""
    for path in map(PurePosixPath, names):
        if not _is_hidden(path) and not _has_ending(path):
            yield path.suffix.lower() or "without an ending"
        elif _is_hidden(path) and _has_ending(path):
            yield "hidden"


def _why_no_file(path: Path) -> str:
    """Return what something is that is not a file, nothing of a file."""
    if path.is_file():
        return ""
    if not path.exists():
        return "dead link"
    mode = path.stat().st_mode
    return "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"


def _is_image(path: PurePosixPath) -> bool:
    return _has_ending(path) and not _is_hidden(path)


def _has_ending(path: PurePath) -> bool:
    """Say whether a file ends as those do that torchvision takes for images."""
    from torchvision.datasets.folder import IMG_EXTENSIONS  # here: as long as importing torch

    return path.suffix.lower() in IMG_EXTENSIONS


def _is_hidden(path: PurePosixPath) -> bool:
    """Say whether a file or a folder is hidden, or lies in one that is."""
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)
