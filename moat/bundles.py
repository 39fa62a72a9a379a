"""Bundles: results in one zip, for a colleague."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from moat.errors import BundleError, MoatError
from moat.names import why_no_name
from moat.paths import require_path
from moat.printable import printable
from moat.public import public_at_once
from moat.report.manifest import listed_files
from moat.report.points import error_text, point_without_weights, read_each
from moat.report.race.plan import plan_files
from moat.runs import (
    CODE,
    PLANNED,
    RunFolder,
    is_bundle,
    manifest_text,
    require_folder_of,
    require_results,
    why_no_place,
)
from moat.runs.bundle import MANIFEST
from moat.storage import read, replacing, sweep
from moat.version import __version__

_PACKED = (".npz", ".png", ".safetensors")
"""Files that deflate makes no smaller."""
_THE_FIRST = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip
_MODE = 0o100644
_NOT_OWN = "{}: moat did not write it into the folder of the run's code."


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written: its file, how many runs it holds, and what was left out."""

    path: Path
    runs: int
    size: int  # bytes
    weights: bool
    left_out: tuple[str, ...] = ()


@dataclass
class _Contents:
    """The files of some results by their places below them, and why others are left out."""

    results: Path
    files: dict[str, Path] = field(default_factory=dict)
    runs: int = 0
    left_out: list[str] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """Take a file, unless it is a link that leads elsewhere."""
        if path.is_symlink() and not path.resolve().is_relative_to(self.results.resolve()):
            self.left_out.append(f"{path}: it is a link out of the results.")
        else:
            self.files[path.relative_to(self.results).as_posix()] = path


@public_at_once
def bundle(
    results: Path | str, out: Path | str, *, weights: bool = False, overwrite: bool = False
) -> Bundle:
    """Write some results into one zip for a colleague, to be read without unpacking.

    The zip holds the recipe, record, log, outcomes, gallery and code of each run, the plan of a
    study, and tables, figures and pages that moat wrote; with `weights`, also the trained weights.
    Checkpoints and files that are not moat's are left out, as are a run that a process is writing
    and a finished run that cannot be read. The same results give the same bytes. Raises BundleError
    if there is no run to bundle, if the zip's folder does not exist, or if the file exists (unless
    `overwrite`), and DiskError if it cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> import moat
        >>> from torch import nn
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> few = ["evaluation.examples=20"]
        >>> with TemporaryDirectory() as folder:
        ...     results = Path(folder) / "results"
        ...     judged = moat.evaluate_model(
        ...         network, "protocols/digits", name="linear", overrides=few, results=results
        ...     )
        ...     made = bundle(results, Path(folder) / "results.zip")
        ...     moat.results(made.path).runs["label"].to_list()
        ['linear']
    """
    results, out = require_path(Path(results)), require_path(Path(out))
    _require_free(results, out, overwrite)
    contents = _contents_of(results, weights)
    if not contents.runs:
        raise BundleError(
            "this folder contains no run to bundle.",
            where=str(results),
            hint="\n".join([*contents.left_out, "`moat train RECIPE` makes runs."]),
        )
    root = _root_of(results, contents)
    places = {f"{root}/{place}": path for place, path in sorted(contents.files.items())}
    for place, path in places.items():
        if why := why_no_place(place):
            raise BundleError(
                f"this bundle would not be readable on every system: {why}.",
                where=printable(str(path)),
                hint="Rename the folder, and bundle the results again.",
            )
    sweep(out.parent, [out.name])
    with replacing(out) as file, ZipFile(file, "w") as made:
        listed = {}
        for place, path in places.items():
            content = read(path, path.read_bytes) or b""
            listed[place] = {"size": len(content), "sha256": sha256(content).hexdigest()}
            _write(made, place, content)
        _write(made, MANIFEST, manifest_text(__version__, root, weights, listed).encode())
    return Bundle(out, contents.runs, out.stat().st_size, weights, tuple(contents.left_out))


def _require_free(results: Path, out: Path, overwrite: bool) -> None:
    """Raise BundleError unless the results are a folder and the zip may be written."""
    if is_bundle(results):
        raise BundleError(
            "this is a file; a bundle is made from a folder.",
            where=str(results),
            hint="moat bundle RESULTS OUT.zip",
        )
    require_results(results, BundleError, "moat bundle RESULTS OUT.zip")
    if out.suffix.lower() != ".zip" or out.is_dir():
        raise BundleError(
            "a bundle is a file whose name ends in .zip.",
            where=str(out),
            hint=f"moat bundle {results} {out.with_suffix('.zip').name or 'out.zip'}",
        )
    require_folder_of(out, BundleError)
    if (out.exists() or out.is_symlink()) and not overwrite:
        raise BundleError(
            "a file of this name exists.",
            where=str(out),
            hint="It was left as it is. Name another, or replace it with --overwrite.",
        )


def _contents_of(results: Path, weights: bool) -> _Contents:
    found = _Contents(results)
    for place, below, names in os.walk(results):
        folder = Path(place)
        below[:] = sorted(name for name in below if not name.startswith("."))
        for path in _reports_in(folder, names):
            found.add(path)
        run = RunFolder(folder)
        if PLANNED in names:
            found.add(folder / PLANNED)
            for plan in plan_files(folder):
                found.add(plan)
        if run.is_held:
            found.left_out.append(f"{folder}: a process is writing this run.")
        elif why := _why_unreadable(run):
            found.left_out.append(why)
        elif run.is_begun or run.recipe.exists():
            found.runs += 1
            carried = run.carried(weights=weights)
            for path in carried:
                found.add(path)
            strange = [folder / other for other in run.others() if other.startswith(f"{CODE}/")]
            found.left_out += [_NOT_OWN.format(path) for path in strange if path not in carried]
        if run.is_begun or run.recipe.exists():
            below[:] = [name for name in below if name not in (CODE, run.tensorboard.name)]
    return found


def _why_unreadable(run: RunFolder) -> str:
    """Return why a finished run cannot be read, "" of any other: its receiver could not read it.

    Example:
        >>> _why_unreadable(RunFolder("nowhere"))
        ''
    """
    if not run.is_done:
        return ""
    _, failed = read_each([run], lambda folder: point_without_weights(folder, folder.path))
    return error_text(failed[0]) if failed else ""


def _reports_in(folder: Path, names: list[str]) -> Iterator[Path]:
    """Yield the tables, figures and pages in a folder that moat wrote and nobody changed."""
    from moat.report.page.html import is_page  # here: it takes longer than a small bundle

    yield from listed_files(folder)
    for name in names:
        if name.endswith(".html"):
            path = folder / name
            try:
                own = is_page(path)
            except MoatError:
                continue
            if own:
                yield path


def _root_of(results: Path, contents: _Contents) -> str:
    """Return where the results lie in the bundle: below their study's folder, if they have one."""
    whole = results.resolve()
    named = {place: _study_of(contents.results / place) for place in contents.files}
    for place, study in sorted(named.items()):
        if study is not None and study not in Path(place).parts and study in whole.parts:
            last = len(whole.parts) - 1 - whole.parts[::-1].index(study)
            return "/".join(whole.parts[last:])
    return whole.name if not why_no_place(whole.name) and not why_no_name(whole.name) else "results"


def _study_of(path: Path) -> str | None:
    """Return the study that a run's record names, None of any other file."""
    if path.name != "run.json":
        return None
    try:
        record = RunFolder(path.parent).read_record()
    except MoatError:
        return None
    return None if record is None else record.study


def _write(made: ZipFile, place: str, content: bytes) -> None:
    about = ZipInfo(place, _THE_FIRST)
    about.create_system, about.external_attr = 3, _MODE << 16
    packed = place.endswith(_PACKED)
    made.writestr(about, content, ZIP_STORED if packed else ZIP_DEFLATED, None if packed else 9)
