"""The finished runs of a race, checked against its plan and against one another."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from moat.errors import RunFolderError
from moat.records import RaceRecord
from moat.report.groups import Group
from moat.report.points import Point, read_point
from moat.report.rows import Row, rows_of
from moat.report.setting_key import setting_keys
from moat.runs import RunFolder

RunsByRule = Mapping[str, Sequence[Sequence[Row]]]
"""The runs of each rule: a seed after the other, and of each the points of its score."""


def finished_runs(study: Path, record: RaceRecord) -> RunsByRule:
    """Return the finished runs of each rule, up to its first seed that lacks one.

    Raises RunFolderError for a run of another training or protocol than planned or than the other
    seeds have, and for one whose start was trained again since.
    """
    read: dict[str, dict[int, Point | None]] = {}
    for folder in _folders(record):
        read[folder] = {seed: _point(study, record, folder, seed) for seed in record.seeds}
    _require_one_training(study, read)
    runs: dict[str, list[list[Row]]] = {}
    for rule, folders in record.rules.items():
        runs[rule] = []
        for seed in record.seeds:
            points = [point for folder in folders if (point := read[folder][seed]) is not None]
            base = None if record.natural is None else read[record.natural][seed]
            if len(points) < len(folders) or (record.natural is not None and base is None):
                break
            runs[rule].append(_rows(points, base))
    return runs


def _folders(record: RaceRecord) -> list[str]:
    natural = [] if record.natural is None else [record.natural]
    return list(dict.fromkeys([*(one for of in record.rules.values() for one in of), *natural]))


def _point(study: Path, record: RaceRecord, folder: str, seed: int) -> Point | None:
    run = RunFolder(study / folder / f"seed-{seed}")
    if not run.is_done:
        return None
    point = read_point(run, study.parent)
    trained = run.read_record()
    planned = record.trainings.get(folder) if seed == record.seeds[0] else None
    same = trained is not None and planned in (None, trained.train_hash)
    if not same or point.protocol_hash != record.protocol_hash:
        raise RunFolderError(
            "the run has another training or protocol than the race was planned with.",
            where=str(run.path),
            hint="Undo the change of the recipe, or race in another --results folder.",
        )
    if point.is_stale:
        label = shlex.quote(point.label)
        raise RunFolderError(
            "the run that it started from was trained again since: the race would compare weights "
            "that are no longer there.",
            where=str(run.path),
            hint=f"`moat train RECIPE --only {label} --overwrite` trains it again.",
        )
    return point


def _require_one_training(study: Path, read: Mapping[str, Mapping[int, Point | None]]) -> None:
    """Raise RunFolderError if the seeds of a rule differ in more than their seeds."""
    for folder, of in read.items():
        # Each for itself, so that a leg whose trunk is gone has the key of the others.
        found = [(seed, *setting_keys([p]).values()) for seed, p in of.items() if p is not None]
        for seed, key in found[1:]:
            if key != found[0][1]:
                raise RunFolderError(
                    f"the run has another training than seed {found[0][0]} of the same rule.",
                    where=str(study / folder / f"seed-{seed}"),
                    hint="A race compares one training by its seeds: train the odd one again by "
                    "the recipe of the race, with moat train --overwrite.",
                )


def _rows(points: Sequence[Point], base: Point | None) -> list[Row]:
    """Return the runs of a rule and seed, each beside the natural run of this seed."""
    others = [] if base is None or base.folder in [point.folder for point in points] else [base]
    return rows_of(Group((*points, *others)))[: len(points)]
