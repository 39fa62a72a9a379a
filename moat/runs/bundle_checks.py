"""The rules for a bundle's zip, checked before its contents are trusted."""

import os
import re
import reprlib
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from moat.errors import BundleError, RunFolderError
from moat.names import why_no_name
from moat.parsing import parse_json
from moat.printable import folder_key, is_portable
from moat.records import BundleManifest, check_record
from moat.storage import disk
from moat.version import __version__

MOST_BUNDLE_BYTES = 1 << 38
"""Bytes that a bundle unpacks to: 256 GiB."""
MOST_TIMES, FREE = 200, 1 << 24
"""The largest ratio of a bundle's files to its zip, and the size below which it does not count."""
MOST_FILES = 1 << 20
MOST_IN_MANIFEST = 1 << 28
_CHUNK = 1 << 20
_DRIVE = re.compile("[A-Za-z]:")
_BEGIN, _END, _END_BYTES = b"PK\x03\x04", b"PK\x05\x06", 22
_BROKEN = (BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
"""The errors of zipfile for a broken zip, or one of a kind that it does not read."""
_AGAIN = "Copy it once more from where it was made, or make it again: moat bundle RESULTS OUT.zip"
_NONE = "Name a results folder, or a zip that `moat bundle RESULTS OUT.zip` made."


def looks_like_zip(file: Path) -> bool:
    """Say whether a file has the name or the beginning of a zip; others are not results."""
    return file.suffix.lower() == ".zip" or _ends(file)[0][:2] == _BEGIN[:2]


@contextmanager
def require_zip(file: Path) -> Iterator[ZipFile]:
    """Open a zip; raise BundleError for a file that is not a zip or is cut."""
    try:
        held = ZipFile(file)
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise BundleError(
                f"cannot read: {error.strerror}.",
                where=str(file),
                hint="Check its permissions and its disk, then run the same command again.",
            ) from error
        if _ends(file)[0] == _BEGIN:
            raise _cut_short(file) from error
        raise BundleError("the file is not a zip.", where=str(file), hint=_NONE) from error
    with held:
        first = min((entry.header_offset for entry in held.infolist()), default=0)
        if first or _ends(file)[1] != _END:  # the list is that of a zip within, as an .npz is one
            raise _cut_short(file)
        yield held


def checked_manifest(held: ZipFile, file: Path, name: str, known: int) -> Mapping[str, Any]:
    """Return a bundle's manifest if its files are those of the zip, by their names and sizes.

    Raises BundleError, also for a format other than the `known` one.
    """
    entries = held.infolist()
    _require_sizes(entries, file)
    if name not in {entry.filename for entry in entries}:
        raise BundleError(f"the zip is not a bundle of moat's: no {name} in it.", str(file), _NONE)
    _require_distinct([entry.filename for entry in entries], file)
    for entry in entries:
        _require_plain(entry, file)
    if held.getinfo(name).file_size > MOST_IN_MANIFEST:
        raise _refused(file, name, "is too large for a list of files")
    try:
        manifest = parse_json(held.read(name).decode("utf-8"))
    except _BROKEN as error:
        raise _refused(file, name, f"is broken ({error})") from error
    where = Path(f"{file}, {name}")
    if not isinstance(manifest, dict):
        raise _refused(file, name, "is not a table")
    _require_format(manifest, known, where)
    try:
        check_record(BundleManifest, manifest, where, _AGAIN)
    except RunFolderError as error:
        raise BundleError(error.message, error.where, error.hint) from error
    root = manifest["root"]
    if not any(place.startswith(f"{root}/") for place in manifest["files"]):
        raise _refused(
            file, name, f"names {root!r} as the folder of its results, which contains no file"
        )
    for place in manifest["files"]:
        if not place.startswith(f"{root}/"):
            raise _refused(file, place, f"lies outside of {root!r}, where its results lie")
    found = {entry.filename: entry.file_size for entry in entries if entry.filename != name}
    listed = {place: about["size"] for place, about in manifest["files"].items()}
    for place in sorted({*found, *listed}):
        if place not in found:
            raise _refused(file, place, f"is missing, though {name} lists it")
        if place not in listed:
            raise _refused(file, place, f"is not listed in {name}")
        if found[place] != listed[place]:
            raise _refused(
                file, place, f"has {found[place]:,} bytes, and {name} says {listed[place]:,}"
            )
    return manifest


def _require_format(manifest: Mapping[str, Any], known: int, where: Path) -> None:
    """Raise BundleError unless a manifest is of the format that this moat reads."""
    found = manifest.get("format")
    if isinstance(found, int) and not isinstance(found, bool) and found > known:
        raise BundleError(
            f"it has format {found}, from a newer moat; moat {__version__} reads format {known}.",
            where=str(where),
            hint="Upgrade moat and read it again, or ask the sender for the results folder.",
        )
    if isinstance(found, bool) or found != known:
        said = f"not {reprlib.repr(found)}" if "format" in manifest else "and none is there"
        raise BundleError(
            f"the format of a bundle is {known}, {said}.",
            where=str(where),
            hint="Ask the sender to bundle the results again: moat bundle RESULTS OUT.zip",
        )


def copy_checked(
    held: ZipFile, file: Path, place: str, about: Mapping[str, Any], target: Path
) -> None:
    """Copy one file out of a bundle; raise BundleError if it differs from the manifest."""
    digest, left = sha256(), about["size"]
    with disk(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        into = target.open("xb")
    with into:
        for part in _parts(held, file, place):
            digest.update(part)
            left -= len(part)
            if left < 0:
                break
            with disk(target):
                into.write(part)
    if left or digest.hexdigest() != about["sha256"]:
        raise _refused(file, place, "is not the file that the manifest lists: its digest differs")


def why_no_place(place: str) -> str:
    """Return the reason why a text is not a file's place in a bundle, "" if it is one.

    A valid place is within the bundle, on every system.

    Example:
        >>> why_no_place("study/pgd-at/seed-0/run.json"), why_no_place("../run.json")
        ('', "it begins with '.'")
    """
    for part in place.split("/"):
        if why := why_no_name(part):
            return why
        if _DRIVE.match(part) or (os.name == "nt" and ":" in part) or not is_portable(part):
            return f"{part!r} cannot be a name on every system"
    return ""


def _parts(held: ZipFile, file: Path, place: str) -> Iterator[bytes]:
    try:
        with held.open(place) as content:
            while part := content.read(_CHUNK):
                yield part
    except _BROKEN as error:
        raise _refused(file, place, f"is broken ({error})") from error


def _ends(file: Path) -> tuple[bytes, bytes]:
    """Return the first bytes of a file, and those that begin the end of a zip without remarks."""
    with disk(file), file.open("rb") as content:
        first = content.read(4)
        content.seek(max(file.stat().st_size - _END_BYTES, 0))
        return first, content.read(4)


def _cut_short(file: Path) -> BundleError:
    return BundleError(
        "the zip is truncated or broken: its list of files is not at its end.",
        where=str(file),
        hint=_AGAIN,
    )


def _require_sizes(entries: list[ZipInfo], file: Path) -> None:
    packed = file.stat().st_size
    total = sum(entry.file_size for entry in entries)
    most = min(MOST_BUNDLE_BYTES, max(FREE, MOST_TIMES * packed))
    if total > most or sum(entry.compress_size for entry in entries) > packed:
        raise BundleError(
            f"its {len(entries):,} files would take {total:,} bytes, from a zip of {packed:,}: "
            "that is not a bundle of moat's.",
            where=str(file),
            hint="Nothing was unpacked. Ask the sender for another.",
        )
    if len(entries) > MOST_FILES:
        raise BundleError(
            f"it lists {len(entries):,} files, and at most {MOST_FILES:,} are read.",
            where=str(file),
            hint="Make a bundle of each study alone.",
        )


def _require_distinct(places: list[str], file: Path) -> None:
    """Raise BundleError where two files would be one, or a file another's folder."""
    known: set[str] = set()
    for place in places:
        if folder_key(place) in known:
            raise _refused(file, place, "is there twice, or differs from another by case alone")
        known.add(folder_key(place))
    for place in places:
        parts = place.split("/")
        for depth in range(1, len(parts)):
            if folder_key("/".join(parts[:depth])) in known:
                raise _refused(file, place, "lies below a file")


def _require_plain(entry: ZipInfo, file: Path) -> None:
    """Raise BundleError unless an entry is a plain file that lies within the bundle."""
    original = entry.orig_filename
    if why := why_no_place(original):
        raise _refused(file, original, f"cannot be a file of a bundle: {why}")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        what = "a link" if kind == stat.S_IFLNK else "no plain file"
        raise _refused(file, original, f"is {what}, and a bundle holds plain files")
    if entry.flag_bits & 0x1:
        raise _refused(file, original, "is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused(file, original, "has another compression than a bundle's files")


def _refused(file: Path, place: str, why: str) -> BundleError:
    return BundleError(f"{place!r} in the bundle {why}.", where=str(file), hint=_AGAIN)
