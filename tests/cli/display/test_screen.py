import pytest

from moat.cli.display import Screen, listener_for_terminal
from moat.cli.display.bars import Bars
from moat.cli.display.board import Board
from moat.events import (
    DataNote,
    Note,
    Overwrite,
    RunEnd,
    RunHold,
    RunStart,
    StudyNote,
    StudyStart,
    WorkerLoss,
)


@pytest.fixture
def screen(shown):
    return Screen()


def test_a_study_leaves_a_line_for_each_of_its_runs_and_full_bars(screen, story, shown):
    for event in story.events:
        screen(event)
    text = shown.export_text()
    assert "plain, seed 0: natural 97.2  pgd 50.0  flow 61.3  union 40.0" in text
    assert "note training.compile: [nothing] is captured." in text
    assert "failed pareto r=0.5, seed 0: of [type] [/x] it fell." in text
    (runs, steps, evaluation) = screen.shown.progress.tasks
    assert (runs.completed, runs.total) == (3, 3)
    assert (steps.completed, evaluation.completed) == (0, 0)  # those of the last run


def test_losses_weights_and_held_out_accuracies_are_live(screen, story, shown):
    shown.print(screen.view)
    assert "loss" not in shown.export_text()  # nothing is known yet
    for event in (
        StudyStart(runs=1),
        RunStart(**story.named("plain")),
        story.logged(story.LOGGED),
        story.step(1, 6),
        story.logged(story.VALIDATED),
        story.half,
    ):
        screen(event)
    shown.print(screen.view)
    rows = {" ".join(line.split()) for line in shown.export_text().splitlines()}
    assert {
        "natural pgd flow",
        "loss 0.5 2 -",
        "weight 0.25 0.75 0",
        "held-out accuracy % 90 30 -",
        "r clamped to 0.625",
    } <= rows
    (steps,) = (row for row in rows if row.startswith("steps"))
    assert "6/12 epoch 1/2" in steps
    (evaluation,) = (row for row in rows if row.startswith("evaluation"))
    assert "20/40" in evaluation
    assert "flow, batch 1/2 at the largest strength: natural 97.2 pgd 50" in evaluation


@pytest.mark.parametrize("jobs", [1, 2])
def test_any_label_is_shown_as_it_is(jobs, screen, story, shown):
    label = "pareto schedule={'type': [/cosine]}"
    run = story.named(label)
    screen(StudyStart(runs=1, folder=story.HERE.parent, planned=(run["run"],), jobs=jobs))
    screen(RunStart(**run))
    shown.print(screen.view)
    screen(RunEnd(**run, scores=story.SCORES))
    assert shown.export_text().count(label) == 2


def test_a_terminal_gets_a_screen_that_ends_with_an_error(story, shown, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)

    def interrupted() -> None:
        with listener_for_terminal() as listener:
            assert isinstance(listener, Screen)
            for event in story.events:
                listener(event)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "failed pareto" in shown.export_text()


@pytest.mark.parametrize(("jobs", "kind"), [(1, Bars), (2, Board)])
def test_one_run_at_a_time_has_bars_and_several_have_a_table(jobs, kind, screen):
    screen(StudyStart(runs=3, jobs=jobs))
    assert isinstance(screen.shown, kind)


def test_what_must_be_read_stays_above_what_is_live(screen, story, shown):
    plain = story.named("plain")
    screen(StudyStart(runs=2, jobs=2))
    screen(RunStart(**plain))
    for event in (
        DataNote(text=""),
        DataNote(text="left out: 3 .gif. Classes [red]"),
        StudyNote(text="2 jobs may take [more]."),
        Note(run=story.HERE, text="so."),
        Overwrite(folder=story.HERE, what="run.json"),
        RunHold(**plain, message="another process is writing this run."),
        WorkerLoss(**plain, text="its worker process was ended by SIGKILL"),
    ):
        screen(event)
    assert shown.export_text().splitlines() == [
        "data: left out: 3 .gif. Classes [red]",
        "note 2 jobs may take [more].",
        "note plain, seed 0: so.",
        f"overwriting {story.HERE}: run.json",
        "put aside plain, seed 0: another process is writing this run.",
        "plain, seed 0: its worker process was ended by SIGKILL",
    ]
