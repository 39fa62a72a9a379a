"""The folder of an analysis: its place beside the runs, and the parts of an unfinished one."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from moat.analysis import Analysis, AnalysisParts, AnalysisProgress
from moat.digests import short_hash
from moat.errors import AnalysisError
from moat.events import AnalysisStep, Listener
from moat.own_files import ANALYSES
from moat.plain import json_of
from moat.runs import AnalysisPartFiles, StudyFolder, outputs_of
from moat.study.analyses.inputs import AnalysisInputs
from moat.version import __version__

MakeAnalysis = Callable[[AnalysisParts, AnalysisProgress], Analysis]
"""Makes an analysis; it is handed the store of its parts, and tells its progress."""
Complete = tuple[Analysis, AnalysisPartFiles]
"""An analysis, and the files of its parts, to be cleared once it is written."""


def analyses_folder(runs: Sequence[Path], out: Path | None) -> Path:
    """Return the folder for the files of an analysis: `out`, or `analysis` in the runs' own.

    Of several runs it is that of the study that they lie in. Raises AnalysisError if there is none.
    """
    if out is not None:
        return out
    if len(runs) == 1:
        return outputs_of(runs[0]) / ANALYSES
    studies = {_study_of(outputs_of(run)) for run in runs}
    if len(studies) == 1 and (study := studies.pop()) is not None:
        return study / ANALYSES
    raise AnalysisError(
        "these runs lie in different studies, so the analysis needs a folder of its own."
        if runs
        else "a run gives the analysis its folder, and none is named.",
        where="--out",
        hint="Name a folder with --out.",
    )


def complete_analysis(
    kind: str,
    inputs: AnalysisInputs,
    settings: Mapping[str, Any],
    out: Path,
    listener: Listener,
    make: MakeAnalysis,
) -> Complete:
    """Make an analysis, or go on from the finished parts of one that was interrupted.

    Parts belong to the same kind, models in their order, data, protocol, settings and version. The
    caller clears them once the analysis is written.
    """
    parts = AnalysisPartFiles(out, _fingerprint(kind, inputs, settings))

    def tell(done: float, of: float) -> None:
        listener(AnalysisStep(kind=kind, done=done, of=of))

    found = make(parts, tell)
    named = found.with_subjects(inputs.subjects, protocol=inputs.stated.protocol_hash)
    return named, parts


def _fingerprint(kind: str, inputs: AnalysisInputs, settings: Mapping[str, Any]) -> str:
    said = {
        "kind": kind,
        "models": [[one.name, dict(one.identity)] for one in inputs.subjects],  # parts follow them
        "protocol": inputs.stated.protocol_hash,
        "settings": dict(settings),
        "moat": __version__,
    }
    return short_hash(json.loads(json_of(said)))


def _study_of(run: Path) -> Path | None:
    """Return the study's folder at or above a run, None without one."""
    absolute = run.absolute()
    found = (path for path in (absolute, *absolute.parents) if _is_study(path))
    return next(found, None)


def _is_study(path: Path) -> bool:
    return (path / "study.json").exists() and StudyFolder(path).planned() is not None
