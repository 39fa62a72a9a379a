"""The run that trained a conditioned network, and the run folders of its points."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from moat.errors import InputError, MoatError, RunFolderError
from moat.names import NATURAL
from moat.recipe.conditioned import same_point
from moat.runs import RunFolder
from moat.scalarizers.random_preference import preference_at
from moat.study.loading import finished_record
from moat.study.recorded_preference import At, require_conditioned, trunk_of
from moat.study.run_list import trained_runs
from moat.study.trained_run import TrainedRun, trained_run


def point_runs(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the finished runs of conditioned networks at or below these paths, and the others.

    A run that is named itself is returned as one of a conditioned network. Raises InputError if
    there is none.
    """
    found = trained_runs(paths)
    kept = [run for run in found if run in paths or _is_conditioned(run)]
    if paths and not kept:
        raise InputError(
            f"none of the {len(found)} run(s) has a conditioned network.",
            where=str(paths[0]),
            hint="Name a run of a variant with `conditioned`, or leave the point out.",
        )
    return kept, [run for run in found if run not in kept]


def one_for_each_network(runs: Sequence[Path]) -> list[Path]:
    """Return the first of the runs that share a conditioned network, and every other run."""
    found: dict[Path, Path] = {}
    for run in runs:
        try:
            folder = RunFolder(run)
            place, _ = trunk_of(finished_record(folder), folder)
        except MoatError:  # its evaluation says why
            place = run
        found.setdefault(place.resolve(), run)
    return list(found.values())


def network_run(path: Path) -> TrainedRun:
    """Return the run that trained a run's conditioned network, as it is now.

    It is the run itself if that folder is missing. Raises InputError for a run without a
    conditioned network.
    """
    folder = RunFolder(path)
    record = finished_record(folder)
    require_conditioned(record, folder)
    place, _ = trunk_of(record, folder)
    run = trained_run(place if place.is_dir() else path)
    require_conditioned(run.record, run.folder)
    return run


def known_point(run: TrainedRun, at: At) -> tuple[RunFolder, At] | None:
    """Return the finished point of a network with these weights: its folder, and its own words."""
    names = (NATURAL, *run.plan.threats)
    asked = preference_at(at, run.plan.scalarizer, names)
    for folder, other in _points(run):
        try:
            row = preference_at(other, run.plan.scalarizer, names)
        except InputError:  # of other objectives, from an earlier training
            continue
        if same_point(row, asked):
            return folder, other
    return None


def _points(run: TrainedRun) -> Iterator[tuple[RunFolder, At]]:
    """Yield the finished runs of a network's points, the one that trained it first."""
    place = run.folder.path
    beside = sorted(place.parents[1].glob(f"*/{place.name}"))
    for path in [place, *(one for one in beside if one != place)]:
        folder = RunFolder(path)
        try:
            record = folder.read_record()
        except RunFolderError:
            continue
        table = None if record is None else record.trains.get("conditioned")
        if record is None or not isinstance(table, dict) or "at" not in table:
            continue
        if trunk_of(record, folder)[0].resolve() == trunk_of(run.record, run.folder)[0].resolve():
            yield folder, table["at"]


def _is_conditioned(run: Path) -> bool:
    try:
        record = RunFolder(run).read_record()
    except RunFolderError:
        return True  # its evaluation says why
    return record is not None and "conditioned" in record.trains
