"""TensorBoard's event files of a study: every run's log and scores, as curves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from moat.errors import MissingPackageError, MoatError
from moat.recipe import RunPlan
from moat.runs import RunFolder
from moat.storage import Record, disk
from moat.study.listener import StudyListener
from moat.training.devices import TensorBoardLogger, event_files

_NO_CURVE = {"step", "steps", "epoch", "score"}
"""Where a record of the log stands, and the mean of its held-out accuracies."""


class TensorBoard(StudyListener):
    """Writes what a run logs to event files in its folder as well, and its scores at the end.

    Curves are called as in the log: `loss/<objective>`, `weight/<objective>`, `lr`,
    `images_per_second`, `validation/<objective>` (percent), and what the scalarizer says. The
    scores (`score/<threat>`, percent) come beside the run's variant, sweep values and seed as
    hyperparameters. A run that goes on from a checkpoint goes on in the same curves: TensorBoard
    is told to forget what was drawn after it. Where a run has no event files yet, its log is drawn
    from the start, also if it was finished before. Raises MissingPackageError without the package.
    """

    def __init__(self) -> None:
        if find_spec("tensorboard") is None:
            raise MissingPackageError(
                "event files need the package tensorboard, which is not installed.",
                hint="pip install 'moat[tensorboard]'",
            )
        self._folder = RunFolder(".")
        self._logger: TensorBoardLogger | None = None
        self._step = 0

    def run_started(self, plan: RunPlan, folder: Path) -> None:
        """Remember where it lies; the files are opened with its first line."""
        self.close()
        self._folder = RunFolder(folder)

    def logged(self, record: dict[str, Any]) -> None:
        """Draw a line of the log, which stands there already."""
        if self._logger and record["step"] < self._step:  # its folder was cleared meanwhile
            self.close()
        if not self._logger:
            self._open(self._folder.read_log()[:-1])
        self._draw(record)

    def run_done(self, plan: RunPlan, scores: dict[str, Any]) -> None:
        """Add the scores; of a run that was only evaluated, draw everything anew."""
        with suppress(MoatError):  # it is done; for want of a curve the others are not stopped
            if not self._logger:
                self._open(self._folder.read_log(), anew=True)
            self._finish(plan, scores)

    def run_skipped(self, plan: RunPlan, folder: Path) -> None:
        """Draw a run that was finished before, unless that was done."""
        self.run_started(plan, folder)
        record = self._folder.read_record()
        if record and not self._folder.tensorboard.exists():
            self.run_done(plan, record["scores"])

    def run_failed(self, plan: RunPlan, error: MoatError) -> None:
        """Keep what was drawn."""
        with suppress(MoatError):
            self.close()

    def close(self) -> None:
        """Keep what was drawn: nothing more comes."""
        if self._logger:
            logger, self._logger = self._logger, None
            with _drawing(self._folder):
                logger.finalize("")

    def _open(self, before: list[Record], *, anew: bool = False) -> None:
        """Go on after these records of the log, or draw them where there are no files yet."""
        there = self._folder.tensorboard
        anew = anew or not there.exists()
        last = max((int(record["step"]) for record in before), default=-1)
        purge = 0 if anew else last + 1
        logger = event_files(there, purge)
        with _drawing(self._folder):
            _ = logger.experiment  # opens the file
        self._logger = logger
        for record in before if anew else ():
            self._draw(record)
        self._step = last

    def _draw(self, record: Mapping[str, Any]) -> None:
        assert self._logger
        self._step = int(record["step"])
        with _drawing(self._folder):
            self._logger.log_metrics(scalars_of(record), self._step)
            self._logger.save()

    def _finish(self, plan: RunPlan, scores: Mapping[str, Any]) -> None:
        assert self._logger
        found = {"natural": scores["natural"], **scores["scores"]}
        found |= {name: scores[name] for name in ("total", "union")}
        known = {f"score/{name}": value for name, value in found.items() if value is not None}
        about = {"variant": plan.variant, "seed": plan.seed, **plan.sweep}
        with _drawing(self._folder):
            self._logger.log_hyperparams(about, known, step=max(0, self._step))
        self.close()


@contextmanager
def _drawing(folder: RunFolder) -> Iterator[None]:
    """Turn what the disk refuses into a DiskError; Fabric makes a ValueError of it."""
    with disk(folder.tensorboard):
        try:
            yield
        except ValueError as error:
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None
            raise


def scalars_of(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers in a record of the log by name, those of a table as `table/name`.

    Example:
        >>> scalars_of({"step": 10, "loss": {"natural": 0.5, "pgd": None}, "lr": 0.1})
        {'loss/natural': 0.5, 'lr': 0.1}
    """
    found: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            found |= {f"{key}/{name}": number for name, number in value.items()}
        elif key not in _NO_CURVE:
            found[key] = value
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}
