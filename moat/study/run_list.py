"""The finished runs in some folders; a failure does not stop the others."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from moat.errors import RunFolderError
from moat.events import EvaluationStart, Listener
from moat.runs import RunFolder, find_runs
from moat.study.failures import as_failure
from moat.study.judge import Judged
from moat.study.loading import finished_record


def trained_runs(paths: Sequence[Path]) -> list[Path]:
    """Return the folders of the finished runs at or below these paths.

    Evaluations without a model are skipped, unless one is named itself. Raises RunFolderError for a
    path without a finished run.
    """
    found: dict[Path, None] = {}
    for path in paths:
        below = [folder.path for folder in find_runs(path)]
        if not below or path in below:
            finished_record(RunFolder(path))  # says why it is none
            found[path] = None
            continue
        trained = [run for run in below if not _is_alone(RunFolder(run))]
        if not trained:
            raise RunFolderError(
                f"this folder contains no run that moat trained, but {len(below)} evaluation(s) "
                f"of other models.",
                where=str(path),
                hint="Name a run's own folder, or that of a study.",
            )
        found |= dict.fromkeys(trained)
    return list(found)


def one_by_one(
    runs: Sequence[Path], judged: Callable[[Path], Judged], listener: Listener
) -> Iterator[Judged]:
    """Evaluate one run after another; a failure is the result of its run."""
    for number, run in enumerate(runs):
        listener(EvaluationStart(run=run, before=number))
        try:
            result = judged(run)
        except Exception as error:  # whatever a plug-in raises must not stop the others
            result = Judged(run, error=as_failure(error))
        yield result


def _is_alone(folder: RunFolder) -> bool:
    try:
        record = folder.read_record()
    except RunFolderError:
        return False  # evaluating it says why
    return record is not None and record.is_evaluation_alone
