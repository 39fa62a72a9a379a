"""The time left of a study: its remaining passes at the speed of the finished ones."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from statistics import fmean

from moat.report.status.run_status import SETTLED, Passes, RunStatus, State

_AT_WORK = (State.running, State.evaluating)
_FADE = 0.7
"""The weight of a measurement beside the next later one: a machine's load changes."""
_APART = 2.0
"""From this factor on a label's own speed counts: it takes what no pass tells."""
_WHOLE = Passes(training=1.0, validation=0.0, evaluation=0.0, gate=0.0)
"""Of runs whose passes are not known: each counts for one, and by its training alone."""


def time_left(runs: Sequence[RunStatus]) -> float | None:
    """Return about how many seconds are left of these runs, None where nothing was measured yet.

    A pass is as fast as the latest ones in the runs that are done or at work. So is a pass of an
    evaluation, with its gate; before the first evaluation is over, one of training counts. Work
    between the steps, such as saves, takes equally long in every epoch, however cheap its steps. A
    run at work keeps its own speed, as does a label that is far off the others'. A run of unknown
    passes takes as long as those of its label, or as all others. As many runs are side by side as
    now, and the next one begins when one ends.
    """
    pending = [run for run in runs if run.state not in SETTLED]
    speeds = _speeds(runs, counted=all(run.passes is not None for run in pending))
    left = [speeds.left(run) for run in pending]
    known = [seconds for seconds in left if seconds is not None]
    if len(known) < len(left) or not any(known):
        return None
    pairs = list(zip(pending, known, strict=True))
    side_by_side = [seconds for run, seconds in pairs if run.state in _AT_WORK] or [0.0]
    heapify(side_by_side)
    for run, seconds in pairs:
        if run.state not in _AT_WORK:
            heapreplace(side_by_side, side_by_side[0] + seconds)
    return max(side_by_side)


@dataclass(frozen=True)
class _Speeds:
    """Seconds a pass: of training by label and of all, and of evaluation; None of no measure.

    `between` are seconds an epoch by the wall's clock beyond those that its passes tell.
    """

    counted: bool
    of_label: dict[str, float]
    training: float | None
    evaluation: float | None
    between: float

    def left(self, run: RunStatus) -> float | None:
        """Return what is left of a run, None where it is not known."""
        passes = self._passes(run)
        evaluation: float | None = 0.0
        if run.judging is not None and passes.judging:
            evaluation = (1 - run.judged) * run.judging
        elif passes.judging:
            speed = self.evaluation or self.training
            evaluation = _times((1 - run.judged) * passes.judging, speed)
        if run.trained == 1:
            return evaluation
        speed = self._of(run.label)
        if run.state is State.running and run.seconds is not None:
            speed = run.seconds / passes.training
        training = _times(passes.training + passes.validation, speed)
        if training is None or evaluation is None:
            return None
        return (1 - run.trained) * (training + self.between * _epochs(run)) + evaluation

    def _passes(self, run: RunStatus) -> Passes:
        return (run.passes if self.counted else None) or _WHOLE

    def _of(self, label: str) -> float | None:
        own, usual = self.of_label.get(label), self.training
        if own is None or usual is None or not self.counted:
            return own or usual
        return own if max(own / usual, usual / own) > _APART else usual


def _speeds(runs: Sequence[RunStatus], *, counted: bool) -> _Speeds:
    """Return what a pass took where it was measured, what was measured last counting most."""
    labels: defaultdict[str, list[float]] = defaultdict(list)
    trained, judged = list[tuple[float, float]](), list[tuple[float, float]]()
    between = list[tuple[float, float]]()
    for run in sorted(runs, key=lambda run: (run.state is not State.done, run.ended or 0)):
        passes = run.passes if counted else _WHOLE
        if passes is None:
            continue
        done = run.state is State.done
        if run.seconds and run.trained and (done or run.state in _AT_WORK):
            steps = passes.training + passes.validation
            seconds = run.seconds * steps / passes.training
            trained.append((run.trained * seconds, run.trained * steps))
            if done:
                labels[run.label].append(seconds / steps)
            if run.wall is not None:
                between.append((max(0.0, run.wall - seconds), _epochs(run)))
        if done and run.judging and passes.judging:
            judged.append((run.judging, passes.judging))
    fade = _FADE if counted else 1.0
    of_label = {label: fmean(speeds) for label, speeds in labels.items()}
    return _Speeds(
        counted,
        of_label,
        training=_ratio(trained, fade),
        evaluation=_ratio(judged, fade),
        between=_ratio(between, 1.0) or 0.0,
    )


def _epochs(run: RunStatus) -> float:
    """Return a run's epochs, 1 where they are not known."""
    return run.epochs or 1


def _ratio(pairs: Sequence[tuple[float, float]], fade: float) -> float | None:
    """Return seconds over passes, of pairs in order of time."""
    weights = [fade ** (len(pairs) - place) for place in range(1, len(pairs) + 1)]
    seconds = sum(w * one for w, (one, _) in zip(weights, pairs, strict=True))
    passes = sum(w * other for w, (_, other) in zip(weights, pairs, strict=True))
    return seconds / passes if passes else None


def _times(passes: float, speed: float | None) -> float | None:
    return None if speed is None else passes * speed
