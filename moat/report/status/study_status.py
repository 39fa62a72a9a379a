"""The state of the studies in a folder, read repeatedly without reading everything again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moat.errors import NoRunError, RunFolderError
from moat.report.status.run_status import SETTLED, RunStatus, State, run_status
from moat.report.status.time_left import time_left as time_left
from moat.runs import RunFolder, StudyFolder, find_studies, require_results

AT_WORK = (State.running, State.evaluating)


@dataclass(frozen=True)
class StudyStatus:
    """The current state of one study: its planned runs in the recipe's order, or the begun ones."""

    name: str
    runs: tuple[RunStatus, ...]
    note: str = ""  # why not all that is planned is known, or is not what its runs say

    def of(self, *states: State) -> list[RunStatus]:
        """Return the runs in these states."""
        return [run for run in self.runs if run.state in states]

    @property
    def is_over(self) -> bool:
        """Whether every run is done or has failed."""
        return all(run.state in SETTLED for run in self.runs)

    @property
    def failed(self) -> bool:
        """Whether a run has failed."""
        return bool(self.of(State.failed))

    @property
    def left(self) -> float | None:
        """The estimated seconds left, evaluations included, None if unknown."""
        return time_left(self.runs)


class StatusReader:
    """A reader of the studies at or below a folder, which reads settled files only once."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self._settled: dict[Path, tuple[int | None, Mapping[str, Any], RunStatus]] = {}

    def read(self) -> list[StudyStatus]:
        """Return the current state of every study; raise RunFolderError if there is none."""
        require_results(self.results, NoRunError, _TRAIN)
        studies, begun = find_studies(self.results)
        found = [self._planned(study) for study in studies]
        if begun:
            found.append(self._begun(self.results, begun, _UNPLANNED))
        if not found:
            nothing = "this folder contains neither a study nor a run."
            raise RunFolderError(nothing, where=str(self.results), hint=_TRAIN)
        return found

    def _planned(self, study: StudyFolder) -> StudyStatus:
        try:
            planned = study.planned() or []
        except RunFolderError as error:  # then its runs tell what they can
            return self._begun(study.path, study.runs(), error.message)
        runs = tuple(self._run(study.path, run["folder"], run) for run in planned)
        unlike = next((run for run in runs if run.unlike), None)
        note = _UNLIKE.format(where=unlike.where, what=unlike.unlike) if unlike else ""
        return StudyStatus(_name(study.path), runs, note)

    def _begun(self, at: Path, runs: Sequence[RunFolder], note: str) -> StudyStatus:
        places = (run.path.relative_to(at).as_posix() for run in runs)
        return StudyStatus(_name(at), tuple(self._run(at, place, {}) for place in places), note)

    def _run(self, study: Path, where: str, planned: Mapping[str, Any]) -> RunStatus:
        folder = RunFolder(study / where)
        changed = folder.changed
        if (known := self._settled.get(folder.path)) and known[:2] == (changed, planned):
            return known[2]
        status = run_status(folder, where, planned)
        if status.state in SETTLED:
            self._settled[folder.path] = (changed, planned, status)
        return status


def _name(folder: Path) -> str:
    return folder.name or str(folder.resolve().name)


_UNLIKE = "study.json says of {where}: {what}. `moat train` with the recipe writes study.json anew."
_UNPLANNED = "The plan is unknown until `moat train` starts."
_TRAIN = "`moat train RECIPE` trains runs; name the folder they are written to."
