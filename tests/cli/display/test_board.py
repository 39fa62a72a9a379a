import pytest

from moat.cli.display import board
from moat.cli.display.board import Board
from moat.events import RunEnd, RunFailure, RunSkip, RunStart, StudyStart, WorkerLoss


@pytest.fixture
def told(story, shown):
    """Tell a board of two jobs on four runs; return what it then shows."""

    def show(*events) -> list[str]:
        table = Board()
        names = ("plain", "pgd-at", "pareto", "mgda")
        planned = tuple(story.HERE.with_name(name) for name in names)
        table(StudyStart(runs=4, folder=story.HERE.parent, planned=planned, jobs=2))
        for event in events:
            table(event)
        shown.print(table.view)
        return [" ".join(line.split()) for line in shown.export_text().splitlines()]

    return show


def test_before_a_worker_is_ready_the_board_says_so(told):
    rows = told()
    assert rows[0] == "study"
    assert "0 of 4 runs done, 4 waiting" in rows
    assert "The workers are starting." in rows


def test_each_run_at_work_has_its_figures(told, story, monkeypatch):
    clock = iter([0.0, 0.0, 10.0, 10.0, 20.0, 20.0, 20.0])
    monkeypatch.setattr(board.time, "monotonic", lambda: next(clock))
    other = story.named("pgd-at")
    rows = told(
        RunSkip(**story.named("mgda")),
        RunStart(**story.named("plain")),
        RunStart(**other),
        story.step(1, 2),
        story.step(1, 4),
        story.logged(story.LOGGED),
        story.step(2, 8, other["run"]),
    )
    assert "1 of 4 runs done, 2 running, 1 waiting" in rows
    (plain,) = (row for row in rows if row.startswith("plain, seed 0"))
    assert plain == "plain, seed 0 epoch 1/2, step 4/12, 1,234 images/s, about 40 s left"
    assert "loss 0.5 2 -" in rows
    assert any(row.startswith("pgd-at, seed 0 epoch 2/2, step 8/12") for row in rows)


def test_an_evaluation_says_how_much_of_it_is_done(told, story):
    rows = told(RunStart(**story.named("plain")), story.step(2, 12), story.half)
    assert "plain, seed 0 evaluating, 50%" in rows


def test_what_ends_is_counted(told, story):
    rows = told(
        RunStart(**story.named("plain")),
        RunEnd(**story.named("plain", scores=story.SCORES)),
        RunFailure(**story.named("pgd-at", message="it [fell].")),
        WorkerLoss(**story.named("pareto", text="its worker ended")),
    )
    assert "1 of 4 runs done, 1 waiting, 1 interrupted, 1 failed" in rows
    assert "failed: pgd-at, seed 0: it [fell]." in rows
