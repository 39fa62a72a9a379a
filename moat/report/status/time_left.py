"""How long a study takes yet: the passes that are left, at the speed of those that were made."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from moat.report.status.run_status import SETTLED, Passes, RunStatus, State

_WHOLE = Passes(training=1.0, validation=0.0, evaluation=0.0, gate=0.0)
"""Of runs whose passes are not known: each counts for one, and by its training alone."""


def time_left(runs: Sequence[RunStatus]) -> float | None:
    """Return about how many seconds are left of these runs, None where nothing was measured yet.

    A pass takes what it took: in the runs of the same label that are done, else in all that are
    done or at work, in proportion to their passes. So does a pass of an evaluation, the gate
    included; before one is over, it takes what one of training does. A run at work goes on at its
    own speed. As many runs go on side by side as do now.
    """
    pending = [run for run in runs if run.state not in SETTLED]
    speeds = _speeds(runs, counted=all(run.passes is not None for run in pending))
    left = [speeds.left(run) for run in pending]
    known = [seconds for seconds in left if seconds is not None]
    if len(known) < len(left) or not any(known):
        return None
    at_work = [run for run in pending if run.state in (State.running, State.evaluating)]
    return max(sum(known) / max(1, len(at_work)), max(known))


@dataclass(frozen=True)
class _Speeds:
    """Seconds a pass: of training by label and of all, and of evaluation; None of no measure."""

    counted: bool
    of_label: dict[str, float]
    training: float | None
    evaluation: float | None

    def left(self, run: RunStatus) -> float | None:
        """Return what is left of a run, None where it is not known."""
        passes = (run.passes if self.counted else None) or _WHOLE
        judging = (1 - run.judged) * passes.judging
        evaluation: float | None = 0.0
        if run.judging is not None and judging:
            evaluation = (1 - run.judged) * run.judging
        elif judging:
            evaluation = _times(judging, self.evaluation or self.training)
        if run.trained == 1:
            return evaluation
        speed = self.of_label.get(run.label) or self.training
        if run.state is State.running and run.seconds is not None:
            speed = run.seconds / passes.training
        training = _times((1 - run.trained) * (passes.training + passes.validation), speed)
        return None if training is None or evaluation is None else training + evaluation


def _speeds(runs: Sequence[RunStatus], *, counted: bool) -> _Speeds:
    """Return what a pass took where it was measured."""
    labels: defaultdict[str, list[float]] = defaultdict(list)
    trained, judged = list[tuple[float, float]](), list[tuple[float, float]]()
    for run in runs:
        passes = run.passes if counted else _WHOLE
        if passes is None:
            continue
        done = run.state is State.done
        if run.seconds and run.trained and (done or run.state is State.running):
            trained.append((run.trained * run.seconds, run.trained * passes.training))
        if run.seconds and done:
            labels[run.label].append(run.seconds / passes.training)
        if done and run.judging and passes.judging:
            judged.append((run.judging, passes.judging))
    of_label = {label: fmean(speeds) for label, speeds in labels.items()}
    return _Speeds(counted, of_label, _ratio(trained), _ratio(judged))


def _ratio(pairs: Sequence[tuple[float, float]]) -> float | None:
    return sum(one for one, _ in pairs) / sum(other for _, other in pairs) if pairs else None


def _times(passes: float, speed: float | None) -> float | None:
    return None if speed is None else passes * speed
