"""A bundle: results in one zip, with a manifest of digests, read as a folder."""

import atexit
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from moat.errors import BundleError, did_you_mean
from moat.paths import require_path
from moat.plain import json_of
from moat.runs.bundle_checks import checked_manifest, copy_checked, looks_like_zip, require_zip
from moat.storage import disk

MANIFEST, FORMAT = "moat-bundle.json", 1
"""The name and the format of the manifest in a bundle."""


@dataclass(frozen=True)
class _Opened:
    """A bundle whose files lie in a temporary folder until the process ends."""

    typed: Path  # as a person named it
    root: Path  # what stands for the results folder


_opened: dict[tuple[Path, int, int, bool], _Opened] = {}


def opened(path: Path | str, *, weights: bool = False) -> Path:
    """Return the folder of a path: itself, a bundle's, or one within a bundle.

    The files of a bundle are checked against its manifest and unpacked into a temporary folder,
    which is deleted when the process ends; its weights only on request. Raises BundleError for a
    file that is not a bundle, not whole, or lacks such a folder, and RunFolderError for a path that
    the system cannot look up.
    """
    path = Path(path)
    file = _file_of(path)
    if file is None:
        return require_path(path)
    bundle = _open(file, weights)
    inside = path.relative_to(file)
    folder = bundle.root / inside
    if ".." in inside.parts or not folder.is_dir():
        below = bundle.root.rglob("run.json")
        known = sorted(run.parent.relative_to(bundle.root).as_posix() for run in below)
        raise BundleError(
            f"the bundle has no folder {inside.as_posix()!r}."
            f"{did_you_mean(inside.as_posix(), known)}",
            where=str(file),
            hint=f"It holds {len(known)} run(s): {', '.join(known[:10])}",
        )
    return folder


def as_typed(text: str) -> str:
    """Return a text with the unpacked places of bundles replaced by the user's names.

    Example:
        >>> as_typed("no path of a bundle")
        'no path of a bundle'
    """
    for bundle in _opened.values():
        text = text.replace(str(bundle.root), str(bundle.typed))
    return text


def is_bundle(path: Path) -> bool:
    """Say whether a path names a bundle, or a folder within one."""
    return _file_of(path) is not None


def opened_weights(place: Path) -> Path:
    """Return a place of weights: itself, or the folder that it names in a bundle, unpacked.

    Raises BundleError as `opened` does, also for a bundle without weights.

    Example:
        >>> opened_weights(Path("nets/mine.pth"))  # a torch file is a zip as well
        PosixPath('nets/mine.pth')
    """
    is_file = place.is_file() and place.suffix.lower() != ".zip"
    return place if is_file or not is_bundle(place) else opened(place, weights=True)


def outputs_of(path: Path) -> Path:
    """Return the folder for reports of results: themselves, or one beside their bundle.

    Example:
        >>> outputs_of(Path("results/study"))
        PosixPath('results/study')
    """
    file = _file_of(path)
    return path if file is None else file.with_name(f"{file.stem}-reports")


def _file_of(path: Path) -> Path | None:
    """Return the zip that a path is or goes through, by name or content; None where none is."""
    with suppress(OSError, ValueError):
        if not path.is_dir():
            file = next((one for one in (path, *path.parents) if one.is_file()), None)
            return file if file is not None and looks_like_zip(file) else None
    return None


def _open(file: Path, weights: bool) -> _Opened:
    about = file.stat()
    key = (file.resolve(), about.st_mtime_ns, about.st_size, weights)
    if key not in _opened:
        _opened[key] = _extracted(file, weights)
    return _opened[key]


def _extracted(file: Path, weights: bool) -> _Opened:
    with require_zip(file) as held:
        manifest = checked_manifest(held, file, MANIFEST, FORMAT)
        if weights and not manifest["weights"]:
            raise BundleError(
                "the bundle has no weights, which a model needs.",
                where=str(file),
                hint="Ask the sender to add them: moat bundle RESULTS OUT.zip --weights",
            )
        with disk(Path(tempfile.gettempdir())):
            home = Path(tempfile.mkdtemp(prefix="moat-")).resolve()
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        top = home / file.name
        for place, about in manifest["files"].items():
            if weights or not place.endswith(".safetensors"):
                copy_checked(held, file, place, about, top / place)
    return _Opened(file, top.joinpath(*manifest["root"].split("/")))


def manifest_text(moat: str, root: str, weights: bool, files: dict[str, dict[str, object]]) -> str:
    """Return the manifest of a bundle: the same files give the same text."""
    held = {"format": FORMAT, "moat": moat, "root": root, "weights": weights}
    return json_of({**held, "files": dict(sorted(files.items()))}, indent=1) + "\n"
