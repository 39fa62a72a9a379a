import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from moat.catalogue import Listed
from moat.cli import display
from moat.cli.display import (
    Bars,
    PlainLines,
    listener_for_terminal,
    scores_line,
)
from moat.cli.estimates_sheet import estimates_sheet
from moat.cli.names_sheet import names_sheet
from moat.data import Data, Split
from moat.errors import TrainingError
from moat.evaluation import EvaluationProgress
from moat.sheets import terminal_of
from moat.study import StudyListener, estimate_all, plan

SCORES = {"natural": 97.25, "scores": {"pgd": 50.0, "flow": 61.26}, "union": 40.0}
LOGGED = {
    "step": 2,
    "epoch": 1,
    "loss": {"natural": 0.5, "pgd": 2.0, "flow": None},
    "weight": {"natural": 0.25, "pgd": 0.75, "flow": 0.0},
    "lr": 0.1,
    "images_per_second": 1234.5,
    "clamped": True,
    "r_effective": 0.625,
}
VALIDATED = {"step": 6, "epoch": 1, "validation": {"natural": 90.0, "pgd": 30.0}, "score": 60.0}
HALF = EvaluationProgress(20, 40, "flow", 1, 2, {"natural": 97.25, "pgd": 50.0})
WHOLE = replace(HALF, done=40, batch=2)


@pytest.fixture
def shown(monkeypatch) -> Console:
    """The console, wide and recorded, as a terminal would be."""
    console = Console(file=io.StringIO(), width=160, record=True, force_terminal=True)
    monkeypatch.setattr(display, "console", console)
    return console


def tell(listener: StudyListener, recipe: Path) -> None:
    """Tell a listener of a study of three runs: one done, one finished before, one failed."""
    plain, pgd_at, pareto = plan(recipe)[:3]
    listener.study_started(3)
    listener.run_started(plain, Path("results/plain"))
    listener.noted("training.compile: [nothing] is captured.")
    listener.logged(LOGGED)
    listener.stepped(1, 2, 6, 12)
    listener.logged(VALIDATED)
    listener.stepped(2, 2, 12, 12)
    listener.evaluated(HALF)
    listener.evaluated(WHOLE)
    listener.run_done(plain, SCORES)
    listener.run_skipped(pgd_at, Path("results/pgd-at"))
    listener.run_started(pareto, Path("results/pareto"))
    listener.run_failed(pareto, TrainingError("of [type] [/x] it fell.", hint="no"))


# plain lines


def test_plain_lines_say_what_begins_and_what_ends(recipe, capsys):
    tell(PlainLines(), recipe())
    assert capsys.readouterr().out.splitlines() == [
        f"[1/3] plain, seed 0: {Path('results/plain')}",
        "  training.compile: [nothing] is captured.",
        "  done: natural 97.2  pgd 50.0  flow 61.3  union 40.0",
        "[2/3] pgd-at, seed 0: finished before",
        f"[3/3] pareto r=0.5, seed 0: {Path('results/pareto')}",
        "  FAILED pareto r=0.5: of [type] [/x] it fell.",
    ]


def test_plain_lines_say_now_and_then_how_far_a_long_run_is(recipe, capsys, monkeypatch):
    monkeypatch.setattr(display, "SILENCE", 0.0)
    listener = PlainLines()
    (plain,) = plan(recipe(), only=("plain",))
    listener.run_started(plain, Path("here"))
    listener.logged(LOGGED)
    listener.stepped(1, 2, 5, 12)  # within an epoch
    listener.logged(VALIDATED)
    listener.stepped(1, 2, 6, 12)
    listener.run_started(plain, Path("there"))
    listener.stepped(1, 2, 6, 12)
    _, first, _, second = capsys.readouterr().out.splitlines()
    assert first == "  epoch 1/2: loss natural 0.5 pgd 2; held-out accuracy natural 90 pgd 30"
    assert second.rstrip(": ") == "  epoch 1/2"


def test_plain_lines_say_now_and_then_how_far_a_long_evaluation_is(recipe, capsys, monkeypatch):
    monkeypatch.setattr(display, "SILENCE", 0.0)
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(display.time, "monotonic", lambda: float(next(clock)))
    listener = PlainLines()
    listener.evaluated(replace(HALF, done=0, accuracy={}))
    listener.evaluated(replace(HALF, done=10))
    (line,) = capsys.readouterr().out.splitlines()
    said, _, left = line.rpartition("; ")
    assert said == "  evaluation 25%: flow, batch 1/2; accuracy natural 97.2 pgd 50"
    assert left == "about 60 s left"  # three times the 20 s that the first quarter took


def test_what_is_no_terminal_gets_plain_lines(capsys):
    with listener_for_terminal() as listener:
        assert isinstance(listener, PlainLines)


# bars


def test_bars_show_a_study_to_its_end(recipe, shown):
    bars = Bars()
    tell(bars, recipe())
    text = shown.export_text()
    assert "plain, seed 0: natural 97.2  pgd 50.0  flow 61.3  union 40.0" in text
    assert "note training.compile: [nothing] is captured." in text
    assert "failed pareto r=0.5, seed 0: of [type] [/x] it fell." in text
    (runs, steps, evaluation) = bars.progress.tasks
    assert (runs.completed, runs.total) == (3, 3)
    assert (steps.completed, evaluation.completed) == (0, 0)  # those of the last run


def test_bars_show_losses_weights_and_held_out_accuracies_live(recipe, shown):
    bars = Bars()
    (plain,) = plan(recipe(), only=("plain",))
    shown.print(bars.view)
    assert "loss" not in shown.export_text()  # nothing is known yet
    bars.study_started(1)
    bars.run_started(plain, Path("here"))
    bars.logged(LOGGED)
    bars.stepped(1, 2, 6, 12)
    bars.logged(VALIDATED)
    bars.evaluated(HALF)
    shown.print(bars.view)
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
    assert "flow, batch 1/2 natural 97.2 pgd 50" in evaluation


def test_bars_take_any_label_as_it_is(recipe, shown):
    bars = Bars()
    path = recipe("[0.5, 1.0]", '[0.5], "schedule" = [{ type = "cosine" }]')
    (run,) = plan(path, only=("pareto",))
    assert "{" in run.label
    bars.study_started(1)
    bars.run_started(run, Path("here"))
    shown.print(bars.view)
    bars.run_done(run, SCORES)
    assert shown.export_text().count(run.label) == 2


def test_a_terminal_gets_bars_that_end_with_an_error(recipe, shown, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)

    def interrupted() -> None:
        with listener_for_terminal() as listener:
            assert isinstance(listener, Bars)
            tell(listener, recipe())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "failed pareto" in shown.export_text()


# tables


def text_of(table: Any, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(table)
    return console.export_text()


def test_scores_are_one_line_in_percent():
    assert scores_line(SCORES) == "natural 97.2  pgd 50.0  flow 61.3  union 40.0"


def test_what_is_listed_says_why_it_could_not_be_loaded():
    listed = [
        Listed("broken", "moat-broken 0.1", error="ImportError: no [red] module [/nowhere]"),
        Listed("good", "moat", "Shift the image by [a, b]: it stays."),
        Listed("silent", "moat"),
    ]
    text = text_of(terminal_of(names_sheet("threats", listed), gap=2))
    assert "what the threat is" in text
    assert "Shift the image by [a, b]: it stays." in text
    assert "not loaded: ImportError: no [red] module [/nowhere]" in text
    assert text.count("not loaded") == 1


def test_estimates_are_listed_with_their_sum(recipe):
    estimates = estimate_all(plan(recipe()), "cpu")
    text = text_of(terminal_of(estimates_sheet(estimates), gap=2))
    assert "passes an example, at most: forwards/backwards" in text
    assert "4 run(s), about " in text
    assert "1438+40" in text
    for column in ("run", "seed", "epochs", "search", "descent", "evaluation", "examples", "time"):
        assert column in text


@pytest.mark.parametrize("listener", [PlainLines, Bars])
@pytest.mark.parametrize("note", ["left out: 3 .gif. Classes [red]", ""])
def test_the_note_of_a_data_set_is_a_line(listener, note, shown, capsys):
    first = torch.zeros(1, dtype=torch.int64)
    split = Split(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), first, first)
    data = Data(split, split, ("a",), note)
    listener().data_read(data)
    told = capsys.readouterr().out + shown.file.getvalue()
    assert told.strip() == (f"data: {note}" if note else "")


def test_what_is_overwritten_is_a_line_before_it_is_lost(tmp_path, capsys):
    PlainLines().overwriting(tmp_path, "run.json, log.jsonl")
    assert capsys.readouterr().out == f"  overwriting {tmp_path}: run.json, log.jsonl\n"


def test_lines_say_what_memory_an_evaluation_takes_and_when_passes_are_halved(capsys):
    lines = PlainLines()
    for done, size in ((0, 128), (1, 128), (2, 64), (3, 64)):
        told = EvaluationProgress(done, 4, "pgd", 1, 1, memory=3 * 2**29, pass_size=size)
        lines.evaluated(told)
    lines.evaluated(EvaluationProgress(1, 1, "sanity gate", 1, 1))
    assert capsys.readouterr().out.splitlines() == [
        "  evaluation: up to 1.5 GiB beside network and data, passes of 128",
        "  evaluation: no memory for passes of 128; up to 1.5 GiB beside network and data, "
        "passes of 64",
    ]
