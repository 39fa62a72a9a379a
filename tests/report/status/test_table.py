import io
import re

import pytest
from rich.console import Console

from moat.report.status.run_status import Live, RunStatus, State
from moat.report.status.study_status import StudyStatus
from moat.report.status.table import change_lines, status_table

LIVE = Live(
    epoch=5,
    step=40,
    steps=100,
    rate=1234.5,
    loss={"natural": None, "pgd": 2.0},
    weight={"natural": 0.25, "pgd": 0.75},
    validation={"natural": 90.0, "pgd": 31.25},
    clamped_to=0.625,
)


def run(state: State, label: str = "pareto r=0.5", seed: int = 0, **about: object) -> RunStatus:
    return RunStatus(f"{label}/seed-{seed}", label, seed, state, **about)


RUNNING = run(State.running, epochs=10, live=LIVE, trained=0.4, seconds=25.0)


def shown(*runs: RunStatus, width: int = 80, note: str = "") -> list[str]:
    """Return the lines that a terminal of this width would show, the bar and spaces left out."""
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(status_table([StudyStatus("study", runs, note)], width))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert all(len(line) <= width for line in lines)
    return [line for line in lines if not line.startswith("━")]


def test_counts_name_every_state_that_there_is():
    every = [run(state) for state in State]
    lines = shown(*every, run(State.done), run(State.waiting))
    assert lines[0] == "study"
    assert lines[1] == (
        "2 of 8 runs done, 1 running, 1 evaluating, 2 waiting, 1 interrupted, 1 failed"
    )
    assert shown(run(State.done))[1] == "1 of 1 runs done"


def test_a_running_run_shows_how_far_it_is_and_its_figures():
    lines = shown(RUNNING)
    counts, until, hour = lines[1].rpartition(", until ")
    assert counts == "0 of 1 runs done, 1 running; about 15 s left"
    assert until
    assert re.search(r"\d\d:\d\d$", hour)
    assert lines[3:] == [
        "pareto r=0.5, seed 0  epoch 5/10, step 40/100, 1,234 images/s, about 15 s left",
        "                       natural    pgd",
        f"  {'─' * 35}",
        "  loss                       -      2",
        "  weight                  0.25   0.75",
        "  held-out accuracy %       90   31.2",
        "  r clamped to 0.625",
        "",
    ]


def test_objectives_that_do_not_fit_across_stand_below_each_other():
    names = [f"photometric-{number}" for number in range(6)]
    live = Live(epoch=1, loss=dict.fromkeys(names, 0.5), weight=dict.fromkeys(names[:1], 1.0))
    lines = shown(run(State.running, live=live))
    assert lines[4].split() == ["loss", "weight"]
    assert [line.split() for line in lines[6:12]] == [
        [name, "0.5", "1" if name == names[0] else "-"] for name in names
    ]
    assert lines[3] == "pareto r=0.5, seed 0  epoch 1"  # nothing says of how many


def test_a_run_that_has_logged_nothing_says_so():
    assert shown(run(State.running))[3] == "pareto r=0.5, seed 0  nothing logged yet"


def test_an_evaluation_says_what_it_has_found_last():
    assert shown(run(State.evaluating))[3] == "pareto r=0.5, seed 0  evaluating"
    lines = shown(run(State.evaluating, found_last=(1, "pgd")))
    assert lines[3] == "pareto r=0.5, seed 0  evaluating, batch 2: pgd is done"


def test_what_failed_says_when_and_why_in_its_own_words():
    why = "the loss of [pgd] [/x] is no longer finite."
    lines = shown(run(State.failed, why=why, when="2026-01-31 14:05"), run(State.failed, seed=1))
    assert "\n".join(lines[3:6]) == (
        "failed: pareto r=0.5, seed 0, 2026-01-31 14:05: the loss of [pgd] [/x] is no\n"
        "longer finite.\n"
        "failed: pareto r=0.5, seed 1"
    )


def test_of_many_that_failed_a_few_are_named():
    lines = shown(*(run(State.failed, seed=seed) for seed in range(8)))
    assert len([line for line in lines if line.startswith("failed: ")]) == 5
    assert "... and 3 more failed" in lines


def test_where_nothing_runs_and_something_is_left_it_says_what_to_do():
    going_on = "Nothing is running. To continue, run `moat train` with the recipe."
    stopped = run(State.interrupted, epochs=10, live=LIVE)
    assert "interrupted: pareto r=0.5, seed 0, in epoch 5/10" in shown(stopped)
    assert going_on in shown(stopped)
    assert "interrupted: pareto r=0.5, seed 0" in shown(run(State.interrupted))
    assert going_on in shown(run(State.waiting))
    assert going_on not in shown(run(State.waiting), RUNNING)
    assert going_on not in shown(run(State.done), run(State.failed))


@pytest.mark.parametrize(
    ("how_far", "said"),
    [
        ({}, "trained, not evaluated"),
        ({"found_last": (1, "pgd")}, "while evaluating, batch 2: pgd is done"),
        ({"judged": 0.5}, "while evaluating, 50%"),
    ],
)
def test_a_run_that_was_stopped_in_its_evaluation_says_so(how_far, said):
    stopped = run(State.interrupted, epochs=10, trained=1.0, **how_far)
    assert f"interrupted: pareto r=0.5, seed 0, {said}" in shown(stopped)


def test_a_note_is_shown():
    assert "no plan" in shown(run(State.done), note="no plan")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_any_width_will_do(width):
    why = "the loss of the objective 'natural' is no longer finite. " * 5
    shown(RUNNING, run(State.failed, why=why, label="a long label " * 5), width=width)


def test_a_study_that_is_done_has_a_full_bar():
    console = Console(file=io.StringIO(), width=80, record=True)
    console.print(status_table([StudyStatus("study", (run(State.done),))], 80))
    assert console.export_text().splitlines()[1] == "━" * 60


def test_a_change_of_state_is_one_line():
    def study(*runs: RunStatus) -> list[StudyStatus]:
        return [StudyStatus("study", runs)]

    waiting, done = run(State.waiting, "natural"), run(State.done, "natural")
    assert change_lines(study(waiting, RUNNING), study(waiting, RUNNING)) == []
    assert change_lines(study(waiting, RUNNING), study(done, RUNNING)) == [
        "study: natural, seed 0: done (1 of 2 runs done, 1 running)"
    ]
    failed = run(State.failed, "natural", why="it fell.\nhard")
    assert change_lines(study(), study(waiting, failed)) == [
        "study: natural, seed 0: failed: it fell. (0 of 2 runs done, 1 waiting, 1 failed)"
    ]
