"""Runs to compare, each under a unique name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from moat.errors import InputError, RunFolderError
from moat.outcomes import Outcomes
from moat.records import RunRecord
from moat.report.common_examples import common_ids, same_examples_hint
from moat.report.points import Point, on_examples
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
        """Its recipe, without the seed."""
        return {key: value for key, value in self.point.trains.items() if key != "seed"}

    @property
    def circumstances(self) -> dict[str, Any]:
        """Other influences on its weights: the seed, versions, the machine."""
        told = {"seed": self.point.seed, "moat": self.record.moat, **self.point.plugins}
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
    """Return the runs on the examples that all were judged on, in one order.

    MoatError where these are too few.
    """
    first = runs[0].point

    def mend() -> str:
        other = next(run.point for run in runs if _ids(run) != _ids(runs[0]))
        return same_examples_hint(other, first)

    ids = common_ids([run.point for run in runs], [run.point.where for run in runs], mend)
    return tuple(
        replace(run, point=on_examples(run.point, ids), outcomes=run.outcomes.at(ids))
        for run in runs
    )


def _ids(run: ComparedRun) -> set[int]:
    return set(run.outcomes.ids.tolist())
