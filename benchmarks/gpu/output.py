"""The output of a stage: the file of figures, and archives of its trained runs."""

import argparse
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from moat.errors import MoatError
from moat.parsing import parse_json
from moat.runs import RunFolder
from moat.storage import make_folder, replace, to_json

FIGURES = "gpu.json"
PART = 15_000_000  # bytes of an archive's files, unless a single run has more
STAGES = ("steps", "study", "evaluation")
MACHINE = ("device", "torch", "cuda")
SIGNS = ("recipe.toml", "run.json", ".evaluation")
"""Of which a run's folder has one at least."""
LEFT_BEHIND = {".lock", ".holder.json"}
Kept = tuple[str, float, bytes]
"""A file's name below the results, when it was changed, and its content."""


def open_output(asked: argparse.Namespace) -> dict[str, Any]:
    """Return the figures so far, and have `asked` say where all lies.

    A folder gets the figures and the archives; what an earlier one holds is taken from there.
    Raises MoatError for a file that is broken or another machine's, before anything is measured.
    """
    asked.archives = None if asked.out.suffix == ".json" else asked.out
    if asked.archives is not None:
        asked.out = asked.out / FIGURES
    here = machine(asked.device)
    if asked.go_on is not None:
        _take_up(asked, here)
    found = _read(asked.out)
    if changed := _changed(found, here):
        raise MoatError(
            f"it holds the figures of another machine: {changed}.",
            where=str(asked.out),
            hint="Name another with --out.",
        )
    found["machine"] = here
    make_folder(asked.out.parent)
    replace(asked.out, to_json(found))  # what cannot be written is said now
    return found


def save(asked: argparse.Namespace, found: dict[str, Any]) -> None:
    """Write the figures and, into a folder, what was trained."""
    replace(asked.out, to_json(found))
    if asked.archives is not None and asked.results.is_dir():
        for number, files in enumerate(_parts(asked.results)):
            replace(asked.archives / f"results-{number}.tar.gz", _packed(files))


def machine(device: str) -> dict[str, Any]:
    """Return what the figures depend on."""
    cuda = device != "cpu" and torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "torch": torch.__version__,
        "cuda": torch.version.cuda if cuda else None,
        "cores": os.cpu_count(),
    }


def _changed(found: dict[str, Any], here: dict[str, Any]) -> str:
    there = found.get("machine", here)
    pairs = [(key, there.get(key), here[key]) for key in MACHINE]
    return "; ".join(f"{key} {then} there, {now} here" for key, then, now in pairs if then != now)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = parse_json(path.read_bytes())
        if not isinstance(found, dict):
            raise ValueError("it is not a table")
        for name in ("machine", *STAGES):
            if not isinstance(found.get(name, {}), dict):
                raise ValueError(f"its {name} is not a table")
    except (ValueError, OSError) as error:
        raise MoatError(
            f"it cannot be read as this benchmark's figures: {error}.",
            where=str(path),
            hint="Move it away, or name another with --out.",
        ) from error
    return found


def _take_up(asked: argparse.Namespace, here: dict[str, Any]) -> None:
    """Go on from an earlier folder: its figures, if this machine's, and what was trained."""
    before = asked.go_on / FIGURES
    archives = sorted(asked.go_on.glob("results-*.tar.gz"))
    if not (before.exists() or archives):
        raise MoatError(
            f"there is neither {FIGURES} nor an archive of results.",
            where=str(asked.go_on),
            hint="Name the --out folder of an earlier call.",
        )
    if not asked.out.exists() and before.exists() and not _changed(found := _read(before), here):
        make_folder(asked.out.parent)
        replace(asked.out, to_json(found))
    make_folder(asked.results)
    with tempfile.TemporaryDirectory(dir=asked.results, prefix=".taken-up-") as folder:
        unpacked = Path(folder)
        for archive in archives:  # all of them, before any run is put into its place
            try:
                with tarfile.open(archive) as file:
                    file.extractall(unpacked, filter="data")
            except (tarfile.TarError, OSError, EOFError) as error:
                raise MoatError(
                    f"the archive cannot be read: {error}.",
                    where=str(archive),
                    hint="Leave it out: its runs are then trained anew.",
                ) from error
        for run in sorted({path.parent for sign in SIGNS for path in unpacked.rglob(sign)}):
            place = asked.results / run.relative_to(unpacked)
            if not place.exists():  # what is there goes on from itself
                make_folder(place.parent)
                run.rename(place)


def _parts(results: Path) -> Iterator[list[Kept]]:
    """Yield the files of so many runs as fit into an archive."""
    part: list[Kept] = []
    for folder in sorted({path.parent for sign in SIGNS for path in results.rglob(sign)}):
        files = list(_files(folder, results))
        if part and _size(part) + _size(files) > PART:
            yield part
            part = []
        part += files
    if part:
        yield part


def _files(folder: Path, results: Path) -> Iterator[Kept]:
    """Yield what a run needs to go on or to be read; it may be written meanwhile.

    The log comes after the checkpoint, which says how far the log must go at least.
    """
    left = LEFT_BEHIND | ({"checkpoint.pt"} if RunFolder(folder).is_done else {"run.json"})
    for path in sorted(folder.rglob("*")):
        if path.name in left or path.name.endswith(".tmp") or not path.is_file():
            continue
        with suppress(FileNotFoundError):
            yield str(path.relative_to(results)), path.stat().st_mtime, path.read_bytes()


def _size(files: list[Kept]) -> int:
    return sum(len(content) for _, _, content in files)


def _packed(files: list[Kept]) -> bytes:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, changed, content in files:
            about = tarfile.TarInfo(name)
            about.size, about.mtime = len(content), changed
            archive.addfile(about, BytesIO(content))
    return buffer.getvalue()
