"""Runs to compare, each under a unique name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from moat.errors import InputError, RunFolderError
from moat.outcomes import Outcomes
from moat.records import RunRecord
from moat.report.points import Point
from moat.report.rows import names_of
from moat.report.runs_by_name import read_run, run_at
from moat.runs import as_typed


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """One of the runs: its point, what its folder says of it, and what came of each example."""

    name: str
    point: Point
    record: RunRecord
    outcomes: Outcomes

    @property
    def recipe(self) -> dict[str, Any]:
        """What trained it, but for the seed."""
        return {key: value for key, value in self.point.trains.items() if key != "seed"}

    @property
    def circumstances(self) -> dict[str, Any]:
        """What else may have moved its weights: the seed, moat's version, the machine."""
        told = {"seed": self.point.seed, "moat": self.record.moat}
        return {**told, "machine": self.record.machine}


def compared_runs(paths: Sequence[Path | str]) -> tuple[ComparedRun, ...]:
    """Return the runs that are named, in their order; MoatError unless they are several.

    A folder with one finished run below it stands for that run.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        run = run_at(Path(path), "each argument")
        if (before := found.get(run.resolve())) is not None:
            also = "" if before == run else f", the other time as {before}"
            raise RunFolderError(
                f"this run is named twice{also}.",
                where=str(run),
                hint="Name another run for the comparison.",
            )
        found[run.resolve()] = run
    if len(found) < 2:
        one = ", ".join(map(str, found.values())) or "none"
        raise InputError(
            f"two runs or more can be compared; named: {one}.",
            hint="moat compare RUN RUN...; `moat score RUN` shows the scores of one.",
        )
    read = [read_run(run) for run in found.values()]
    points = [
        replace(point, where=as_typed(str(run)))
        for run, (point, _) in zip(found.values(), read, strict=True)
    ]
    return tuple(
        ComparedRun(name, point, evidence.record, evidence.outcomes)
        for name, point, (_, evidence) in zip(names_of(points), points, read, strict=True)
    )


def aligned(runs: Sequence[ComparedRun]) -> tuple[ComparedRun, ...]:
    """Return the runs with their examples in one order; MoatError where these are not the same."""
    turned = tuple(_in_order(run) for run in runs)
    first, *others = turned
    for other in others:
        ours, theirs = first.outcomes.ids, other.outcomes.ids
        if not np.array_equal(ours, theirs):
            apart = len(np.setxor1d(ours, theirs))
            raise InputError(
                f"it was evaluated on other test examples than {first.point.where}: "
                f"{len(theirs):,} and {len(ours):,}, and {apart:,} ids occur in one of them only.",
                where=other.point.where,
                hint=(
                    "Only scores on the same examples can be paired: `moat evaluate RUN "
                    "--protocol FILE` evaluates each run with the same protocol."
                ),
            )
    return turned


def _in_order(run: ComparedRun) -> ComparedRun:
    order = np.argsort(run.outcomes.ids, kind="stable")
    found = run.outcomes
    losses = None if found.losses is None else found.losses[order]
    turned = replace(found, values=found.values[order], ids=found.ids[order], losses=losses)
    return replace(run, outcomes=turned)
