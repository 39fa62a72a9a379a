"""A study on a clock of its own: what is said to be left, beside what is."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.report.status.run_status import Passes, RunStatus, State
from moat.report.status.time_left import time_left


@dataclass(frozen=True)
class Run:
    """What a run takes, in passes, and how its seconds differ from those its passes tell."""

    label: str
    passes: Passes
    luck: float

    @property
    def training(self) -> float:
        """Seconds until it is trained, a pass taking one."""
        return self.luck * (self.passes.training + self.passes.validation)

    @property
    def judging(self) -> float:
        """Seconds of its evaluation, which are what its passes tell but for a third."""
        return 1.3 * self.passes.judging


def status(run: Run, place: int, into: float) -> RunStatus:
    """Return a run as its files tell it so many seconds after it began."""
    about = RunStatus(f"{run.label}/{place}", run.label, 0, State.waiting, passes=run.passes)
    seconds = run.luck * run.passes.training
    if into <= 0:
        return about
    if into < run.training:
        share = into / run.training
        return replace(about, state=State.running, trained=share, seconds=seconds)
    if into < run.training + run.judging:
        share = (into - run.training) / run.judging * 0.7  # the gate tells nothing
        return replace(about, state=State.evaluating, trained=1.0, seconds=seconds, judged=share)
    took = {"seconds": seconds, "judging": run.judging, "ended": place}
    return replace(about, state=State.done, trained=1.0, **took)


RUNS = st.lists(
    st.builds(
        Run,
        label=st.sampled_from(["natural", "pgd-at", "max-at", "pareto r=1"]),
        passes=st.builds(
            Passes,
            training=st.floats(200, 2000),
            validation=st.floats(0, 200),
            evaluation=st.floats(50, 400),
            gate=st.floats(0, 100),
        ),
        luck=st.floats(0.9, 1.15),
    ),
    min_size=5,
    max_size=20,
)


@given(runs=RUNS)
def test_after_a_tenth_of_a_study_what_is_said_is_right_to_within_a_factor_of_a_half(runs):
    runs.sort(key=lambda run: run.passes.training)  # the cheap columns come first
    took = [run.training + run.judging for run in runs]
    for tenth in range(1, 9):
        now = tenth / 10 * sum(took)
        begun = [now - sum(took[:place]) for place in range(len(runs))]
        seen = [status(run, n, into) for n, (run, into) in enumerate(zip(runs, begun, strict=True))]
        left = time_left(seen)
        assert left is not None
        assert 1 / 1.5 < left / (sum(took) - now) < 1.5


CHEAP = Passes(training=40.0, validation=1.0, evaluation=10.0, gate=15.0)
DEAR = Passes(training=600.0, validation=60.0, evaluation=10.0, gate=15.0)


@pytest.mark.parametrize("idle", [0.0, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("into", [0.0, 0.2, 0.8])
def test_after_a_cheap_first_run_what_is_said_is_right(idle, into):
    """A natural run is a fourteenth of the others, and its epochs are saved as theirs are."""

    def took(passes):
        return passes.training + passes.validation + idle

    def run(label, passes, state, **known):
        about = RunStatus(label, label, 0, state, passes=passes, epochs=10)
        return replace(about, seconds=passes.training, **known)

    ended = {"trained": 1.0, "judging": 25.0, "ended": 1}
    natural = run("natural", CHEAP, State.done, wall=took(CHEAP), **ended)
    others = [replace(run(f"b{n}", DEAR, State.waiting), seconds=None) for n in range(8)]
    others[0] = run("b0", DEAR, State.running, trained=into) if into else others[0]
    truth = 8 * (took(DEAR) + 25) - into * took(DEAR)
    assert time_left([natural, *others]) == pytest.approx(truth, rel=0.01)


PASSES = Passes(training=100.0, validation=10.0, evaluation=30.0, gate=10.0)
WAITING = RunStatus("a", "a", 0, State.waiting, passes=PASSES)
DONE = replace(WAITING, state=State.done, trained=1.0, seconds=200.0, judging=60.0, ended=1)


@pytest.mark.parametrize(
    ("runs", "left"),
    [
        ([WAITING, WAITING], None),  # nothing was measured
        ([DONE, WAITING], 280.0),  # 110 passes at 2 s, 40 at 1.5 s
        ([DONE, replace(WAITING, trained=1.0)], 60.0),  # to be judged by another protocol
        ([DONE, replace(WAITING, state=State.evaluating, trained=1.0, judged=0.5)], 30.0),
        ([DONE, replace(WAITING, state=State.interrupted, trained=0.5)], 170.0),
        ([DONE, replace(WAITING, passes=replace(PASSES, training=1000.0))], 2080.0),
        ([replace(DONE, passes=None), replace(WAITING, passes=None)], 200.0),  # an older plan
        ([DONE, replace(DONE, state=State.failed)], None),
    ],
)
def test_what_is_left_are_passes_at_the_speed_of_those_that_were_made(runs, left):
    assert time_left(runs) == (left if left is None else pytest.approx(left))


def test_before_an_evaluation_is_over_its_passes_take_what_those_of_training_do():
    running = replace(WAITING, state=State.running, trained=0.5, seconds=100.0)
    assert time_left([running]) == pytest.approx(55 + 40)


def test_what_was_measured_last_counts_most():
    slow = replace(DONE, seconds=400.0, ended=1)
    quick = [replace(DONE, seconds=200.0, ended=n) for n in range(2, 9)]
    assert 280 < time_left([*quick, slow, WAITING]) < 300


def test_a_label_that_takes_what_no_pass_tells_keeps_its_own_speed():
    slow = replace(DONE, label="theirs", seconds=5000.0, ended=1)
    others = [replace(DONE, label=f"b{n}", ended=2 + n) for n in range(5)]
    theirs = time_left([slow, *others, replace(WAITING, label="theirs")])
    assert theirs == pytest.approx(110 * 50 + 60)


def test_runs_side_by_side_take_no_less_than_the_longest():
    running = replace(WAITING, state=State.running, trained=0.5, seconds=100.0)
    late = replace(running, trained=0.99, passes=replace(PASSES, evaluation=0.0, gate=0.0))
    assert time_left([running, late]) == pytest.approx(95)


def test_runs_that_wait_are_begun_by_whoever_is_through_first():
    """No share of the whole: of four equal runs two processes take two each, of three one two."""
    at_work = replace(WAITING, state=State.running, trained=0.5, seconds=100.0)  # 95 each
    for waiting, longest in ((1, 95 + 150), (2, 95 + 150), (3, 95 + 300), (4, 95 + 300)):
        assert time_left([at_work, at_work, *[WAITING] * waiting]) == pytest.approx(longest)
    nearly = replace(at_work, trained=1.0, passes=replace(PASSES, evaluation=0.0, gate=0.0))
    assert time_left([at_work, nearly, WAITING]) == pytest.approx(150)


def test_what_lies_between_the_steps_counts_for_runs_at_work_too():
    done = replace(DONE, wall=440.0)  # twice what its steps and its validation take
    assert time_left([done, WAITING]) == pytest.approx(440 + 60)
    running = replace(WAITING, state=State.running, trained=0.5, seconds=200.0)
    assert time_left([done, running]) == pytest.approx(220 + 60)
