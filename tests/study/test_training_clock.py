"""How long a training took, without what only the first run of a process pays."""

from types import SimpleNamespace

from moat.events import RunStart, TrainingStep
from moat.study import training_clock
from moat.study.training_clock import TrainingClock


def test_the_clock_starts_with_the_first_step_and_every_event_is_passed_on(tmp_path, monkeypatch):
    now = iter([100.0, 107.0, 109.0])
    monkeypatch.setattr(training_clock, "time", SimpleNamespace(monotonic=lambda: next(now)))
    heard = []
    clock = TrainingClock(heard.append)
    events = [
        RunStart(run=tmp_path, variant="a", sweep={}, label="a", seed=0),
        *(TrainingStep(run=tmp_path, epoch=1, epochs=1, step=n, steps=2) for n in (1, 2)),
    ]
    clock(events[0])
    assert clock.seconds == 0.0  # imports and the network come before the first step
    clock(events[1])
    clock(events[2])
    assert clock.seconds == 7.0
    assert clock.seconds == 9.0
    assert heard == events
