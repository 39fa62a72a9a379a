"""TensorBoard's event files of a study: every run's log and scores, as curves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from moat.errors import MissingPackageError, MoatError
from moat.events import (
    Event,
    LogEntry,
    NamedRunEvent,
    RunEnd,
    RunFailure,
    RunHold,
    RunSkip,
    RunStart,
)
from moat.plain import json_of
from moat.runs import EVENTS_MARK, RunFolder
from moat.storage import Record, disk
from moat.training.devices import TensorBoardLogger, event_files

_NO_CURVE = {"step", "steps", "epoch", "score"}
"""The keys of a record's place in the log, and of the mean of its held-out accuracies."""


class TensorBoard:
    """A listener that writes each run's log, and finally its scores, to TensorBoard's event files.

    Curves have the names of the log: `loss/<objective>`, `weight/<objective>`, `lr`,
    `images_per_second`, `validation/<objective>` (percent), and the scalarizer's own. The scores
    (`score/<threat>`, percent) come with the run's variant, sweep values and seed as
    hyperparameters. A resumed run continues its curves: TensorBoard discards the points after the
    checkpoint. A run without event files gets those of its whole log, even if it is finished.
    Raises MissingPackageError without the package.
    """

    def __init__(self) -> None:
        if find_spec("tensorboard") is None:
            raise MissingPackageError(
                "event files need the package tensorboard, which is not installed.",
                hint="pip install tensorboard",
            )
        self._runs: dict[Path, _Curves] = {}

    def __call__(self, event: Event) -> None:
        """Draw what an event tells."""
        match event:
            case RunStart(run=run):
                self._end(run)  # its files are opened with its first line
            case LogEntry(run=run, record=record):
                self._of(run).add(record)
            case RunEnd(run=run):  # it is done; for want of a curve the others are not stopped
                with suppress(MoatError):
                    self._of(run).finish(event, event.scores)
                self._runs.pop(run, None)
            case RunSkip(run=run):
                self._draw_anew(event)
            case RunFailure(run=run) | RunHold(run=run):
                with suppress(MoatError):
                    self._end(run)

    def close(self) -> None:
        """Flush the curves, and end."""
        for run in list(self._runs):
            self._end(run)

    def _of(self, run: Path) -> "_Curves":
        return self._runs.setdefault(run, _Curves(RunFolder(run)))

    def _end(self, run: Path) -> None:
        if curves := self._runs.pop(run, None):
            curves.close()

    def _draw_anew(self, event: RunSkip) -> None:
        """Draw a run that was finished before, unless that was done."""
        folder = RunFolder(event.run)
        record = folder.read_record()
        if record and record.scores and not folder.event_files():
            with suppress(MoatError):
                _Curves(folder).finish(event, record.scores)


class _Curves:
    """The event files of one run."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._logger: TensorBoardLogger | None = None
        self._step = 0

    def add(self, record: Mapping[str, Any]) -> None:
        """Draw a line that the log already has."""
        if self._logger and record["step"] < self._step:  # its folder was cleared meanwhile
            self.close()
        if not self._logger:
            self._open(_before(record, self._folder.read_log()))
        self._draw(record)

    def finish(self, run: NamedRunEvent, scores: Mapping[str, Any]) -> None:
        """Add the scores; for a run that was only evaluated, draw everything again."""
        if not self._logger:
            self._open(self._folder.read_log(), anew=True)
        assert self._logger
        found = {"natural": scores["natural"], **scores["scores"]}
        found |= {name: scores[name] for name in ("total", "union")}
        known = {f"score/{name}": value for name, value in found.items() if value is not None}
        about = {"variant": run.variant, "seed": run.seed, **run.sweep}
        with _drawing(self._folder):
            self._logger.log_hyperparams(about, known, step=max(0, self._step))
        self.close()

    def close(self) -> None:
        """Flush the curves."""
        if self._logger:
            logger, self._logger = self._logger, None
            with _drawing(self._folder):
                logger.finalize("")

    def _open(self, before: list[Record], *, anew: bool = False) -> None:
        """Go on after these records of the log, or draw them where there are no files yet."""
        there = self._folder.tensorboard
        anew = anew or not self._folder.event_files()
        last = max((int(record["step"]) for record in before), default=-1)
        purge = 0 if anew else last + 1
        logger = event_files(there, purge, EVENTS_MARK)
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


def _before(record: Mapping[str, Any], kept: list[Record]) -> list[Record]:
    """Return the records of a log before this one; a worker may have written more meanwhile."""
    wanted = json_of(record)
    place = next((n for n, one in enumerate(kept) if json_of(one) == wanted), len(kept))
    return kept[:place]


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
