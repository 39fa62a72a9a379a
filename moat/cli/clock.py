"""The time left: of a study by its files, of a bar by its own pace."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.progress import ProgressColumn, Task
from rich.text import Text

from moat.errors import MoatError
from moat.report.numbers import duration, hour_in
from moat.report.status.study_status import StatusReader
from moat.report.status.time_left import time_left

_EVERY = 2.0  # seconds between two looks at a study's files


class StudyClock:
    """Says how long a study took and takes yet, as `moat watch` does, for the runs asked for."""

    def __init__(self) -> None:
        self.began = self.looked = time.monotonic()
        self.reader: StatusReader | None = None
        self.asked: frozenset[Path] = frozenset()
        self.ends: float | None = None

    def follow(self, folder: Path, runs: Sequence[Path]) -> None:
        """Look at the runs of a study's folder from now on."""
        self.reader, self.asked = StatusReader(folder), frozenset(runs)
        self.folder, self.looked = folder, float("-inf")

    @property
    def left(self) -> float | None:
        """About how many seconds are left, None as long as nothing was measured."""
        now = time.monotonic()
        if self.reader is not None and now - self.looked >= _EVERY:
            self.looked = now
            left = self._read(self.reader)
            self.ends = None if left is None else now + left
        return None if self.ends is None else max(0.0, self.ends - now)

    def _read(self, reader: StatusReader) -> float | None:
        try:
            runs = [run for study in reader.read() for run in study.runs]
        except MoatError:  # what stands in the way, the training itself will say
            return None
        return time_left([run for run in runs if self.folder / run.where in self.asked])

    @property
    def line(self) -> str:
        """The time spent, the time left, and the end."""
        spent = f"{duration(time.monotonic() - self.began)} elapsed"
        left = self.left
        return spent if left is None else f"{spent}, {left_text(left)}, until {hour_in(left)}"


def left_text(seconds: float) -> str:
    """Return a time that is left, in words."""
    return f"about {duration(seconds)} left"


class LeftColumn(ProgressColumn):
    """The time left of a bar, by its whole past: rich's own column forgets long steps."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[int, tuple[float, float]] = {}  # when a bar began, and how far it was

    def begin(self, task: int, completed: float) -> None:
        """Count a bar's pace from here."""
        self.first[task] = (time.monotonic(), completed)

    def render(self, task: Task) -> Text:
        """Return the time left, nothing of a bar that has not moved or is over."""
        began, start = self.first.get(task.id, (0.0, task.completed))
        made = task.completed - start
        if task.total is None or made <= 0 or task.completed >= task.total:
            return Text("")
        left = (time.monotonic() - began) * (task.total - task.completed) / made
        return Text(f"{duration(left)} left", style="progress.remaining")
