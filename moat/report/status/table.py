"""The state of studies for the terminal: counts, runs at work with their figures, failures."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.text import Text

from moat.report.numbers import duration, hour_in
from moat.report.status.figures import figures_table
from moat.report.status.run_status import RunStatus, State
from moat.report.status.study_status import AT_WORK, StudyStatus

_STYLES = {
    State.done: "green",
    State.running: "cyan",
    State.evaluating: "cyan",
    State.waiting: "dim",
    State.interrupted: "yellow",
    State.failed: "bold red",
}
IDLE = "Nothing is running. To continue, run `moat train` with the recipe."
_MOST = 5  # runs that are named, of those that failed or were interrupted
_BAR = 60  # cells, at most


def status_table(
    studies: Sequence[StudyStatus], width: int, *, idle: str = IDLE, left: bool = True
) -> Group:
    """Return each study's counts, its runs at work, and those that need somebody.

    `idle` is said of a study that is not over and has no run at work; `left` adds the time that a
    study takes yet.
    """
    return Group(*(part for study in studies for part in _study(study, width, idle, left)))


def change_lines(before: Sequence[StudyStatus], after: Sequence[StudyStatus]) -> list[str]:
    """Return a line for each run whose state changed between two readings."""
    then = {(study.name, run.where): run.state for study in before for run in study.runs}
    return [
        f"{study.name}: {_line(run)} ({_counts(study).plain})"
        for study in after
        for run in study.runs
        if then.get((study.name, run.where), State.waiting) is not run.state
    ]


def _line(run: RunStatus) -> str:
    why = f": {run.why.splitlines()[0]}" if run.why else ""
    return f"{run.name}: {run.state}{why}"


def _study(study: StudyStatus, width: int, idle: str, left: bool) -> Iterator[RenderableType]:
    yield Text(study.name, style="bold")
    bar = ProgressBar(len(study.runs), len(study.of(State.done)), width=min(width, _BAR))
    yield Padding(bar, 0, expand=False)  # which ends its line
    counts = _counts(study)
    if left and study.left is not None:
        counts.append(f"; about {duration(study.left)} left, until {hour_in(study.left)}")
    yield counts
    if study.note:
        yield Text(study.note, style="dim")
    for run in study.of(*AT_WORK):
        yield Text()
        yield _progress(run)
        if table := figures_table(run.live, width - 2):
            yield Padding(table, (0, 0, 0, 2), expand=False)
    for state in (State.failed, State.interrupted):
        yield from _named(study.of(state), state)
    if not study.is_over and not study.of(*AT_WORK):
        yield Text(f"\n{idle}", style="yellow")
    yield Text()


def _counts(study: StudyStatus) -> Text:
    done = f"{len(study.of(State.done))} of {len(study.runs)} runs done"
    text = Text().append(done, _STYLES[State.done])
    for state in (*AT_WORK, State.waiting, State.interrupted, State.failed):
        if runs := study.of(state):
            text.append(", ").append(f"{len(runs)} {state}", _STYLES[state])
    return text


def _progress(run: RunStatus) -> Text:
    """Return a run's name and how far it is."""
    live, text = run.live, Text().append(run.name, "bold")
    said = [f"epoch {_of(live.epoch, run.epochs)}"] if live.epoch else []
    said += [f"step {_of(live.step, live.steps)}"] if live.step else []
    said += [f"{live.rate:,.0f} images/s"] if live.rate else []
    if run.state is State.running and run.left is not None:
        said.append(f"about {duration(run.left)} left")
    if run.state is State.evaluating:
        said = ["evaluating", *_evaluation(run)]
    return text.append(f"  {', '.join(said) or 'nothing logged yet'}")


def _evaluation(run: RunStatus) -> list[str]:
    """Return how far the evaluation of a run is, nothing before its first search has ended."""
    if run.found_last:
        batch, threat = run.found_last
        return [f"batch {batch + 1}: {threat} is done"]
    return [f"{run.judged:.0%}"] if run.judged else []


def _of(done: int | None, whole: int | None) -> str:
    return f"{done}" if whole is None else f"{done}/{whole}"


def _named(runs: Sequence[RunStatus], state: State) -> Iterator[Text]:
    """Yield a line for each of the first of these runs, and how many more there are."""
    for run in runs[:_MOST]:
        text = Text("\n" * (run is runs[0])).append(f"{state}: ", _STYLES[state]).append(run.name)
        if state is State.interrupted and run.live.epoch:
            text.append(f", in epoch {_of(run.live.epoch, run.epochs)}")
        elif state is State.interrupted and run.trained == 1:
            how_far = ["while evaluating", *_evaluation(run)]
            text.append(f", {', '.join(how_far) if how_far[1:] else 'trained, not evaluated'}")
        text.append(f", {run.when}" if run.when else "", "dim")
        yield text.append(f": {run.why}" if run.why else "")
    if len(runs) > _MOST:
        yield Text(f"... and {len(runs) - _MOST} more {state}", _STYLES[state])
