from dataclasses import replace

import pytest

from moat.cli.display import PlainLines, lines, listener_for_terminal
from moat.events import (
    DataNote,
    EvaluationStep,
    Note,
    Overwrite,
    RunEnd,
    RunHold,
    RunSkip,
    RunStart,
    StudyNote,
    StudyStart,
    WorkerLoss,
)


@pytest.fixture
def printed(capsys):
    """Tell plain lines of events; return what they print."""

    def told(*events):
        listener = PlainLines()
        for event in events:
            listener(event)
        return capsys.readouterr().out.splitlines()

    return told


def test_plain_lines_say_what_begins_and_what_ends(story, printed):
    assert printed(*story.events) == [
        f"[1/3] plain, seed 0: {story.HERE}",
        "  training.compile: [nothing] is captured.",
        "  done: natural 97.2  pgd 50.0  flow 61.3  union 40.0",
        "[2/3] pgd-at, seed 0: already finished",
        f"[3/3] pareto r=0.5, seed 0: {story.HERE.with_name('pareto')}",
        "  FAILED pareto r=0.5, seed 0: of [type] [/x] it fell.",
    ]


def test_a_long_run_is_heard_of_now_and_then(story, printed, monkeypatch):
    monkeypatch.setattr(lines, "SILENCE", 0.0)
    _, first, _, second = printed(
        RunStart(**story.named("plain")),
        story.logged(story.LOGGED),
        story.step(1, 5),  # within an epoch
        story.logged(story.VALIDATED),
        story.step(1, 6),
        RunStart(**story.named("plain")),
        story.step(1, 6),
    )
    assert first == "  epoch 1/2: loss natural 0.5 pgd 2; held-out accuracy natural 90 pgd 30"
    assert second == "  epoch 1/2"


def test_a_long_evaluation_is_heard_of_now_and_then(story, printed, monkeypatch):
    monkeypatch.setattr(lines, "SILENCE", 0.0)
    clock = iter([0, 0, 0, 0, 20, 20, 20])
    monkeypatch.setattr(lines.time, "monotonic", lambda: float(next(clock)))
    (line,) = printed(replace(story.half, done=0, accuracy={}), replace(story.half, done=10))
    said, _, left = line.rpartition("; ")
    assert (
        said
        == "  evaluation 25%: flow, batch 1/2; accuracy at the largest strength natural 97.2 pgd 50"
    )
    assert left == "about 60 s left"  # three times the 20 s that the first quarter took


def test_held_out_examples_are_named_as_such(story, printed, monkeypatch):
    monkeypatch.setattr(lines, "SILENCE", 0.0)
    (line,) = printed(replace(story.half, held_out=True))
    assert line.startswith("  evaluation 50%: held out: flow, batch 1/2")


def test_with_several_jobs_each_line_names_its_run_and_a_run_keeps_its_number(
    story, printed, monkeypatch
):
    monkeypatch.setattr(lines, "SILENCE", 0.0)
    plain, other = story.named("plain"), story.named("pgd-at")
    told = printed(
        StudyStart(runs=2, jobs=2),
        RunStart(**plain),
        RunStart(**other),
        story.logged(story.LOGGED, other["run"]),
        story.step(1, 6, other["run"]),
        story.step(1, 6),
        Note(run=story.HERE, text="so it is."),
        WorkerLoss(**plain, text="its worker process was ended by SIGKILL"),
        RunStart(**plain),
        RunHold(**other, message="another process is writing this run."),
        RunStart(**other),
        RunEnd(**plain, scores=story.SCORES),
    )
    assert told == [
        f"[1/2] plain, seed 0: {plain['run']}",
        f"[2/2] pgd-at, seed 0: {other['run']}",
        "  pgd-at, seed 0: epoch 1/2: loss natural 0.5 pgd 2",
        "  plain, seed 0: epoch 1/2",
        "  plain, seed 0: so it is.",
        "  plain, seed 0: its worker process was ended by SIGKILL",
        f"[1/2] plain, seed 0: {plain['run']}",
        "  put aside pgd-at, seed 0: another process is writing this run.",
        f"[2/2] pgd-at, seed 0: {other['run']}",
        "  plain, seed 0: done: natural 97.2  pgd 50.0  flow 61.3  union 40.0",
    ]


def test_a_skipped_run_counts(story, printed):
    told = printed(StudyStart(runs=2), RunSkip(**story.named("plain")), StudyNote(text="so."))
    assert told == ["[1/2] plain, seed 0: already finished", "so."]


def test_what_is_no_terminal_gets_plain_lines(capsys):
    with listener_for_terminal() as listener:
        assert isinstance(listener, PlainLines)


@pytest.mark.parametrize("note", ["left out: 3 .gif. Classes [red]", ""])
def test_the_note_of_a_data_set_is_a_line(note, printed):
    assert printed(DataNote(text=note)) == ([f"  data: {note}"] if note else [])


def test_what_is_overwritten_is_a_line_before_it_is_lost(tmp_path, printed):
    (line,) = printed(Overwrite(folder=tmp_path, what="run.json, log.jsonl"))
    assert line == f"  overwriting {tmp_path}: run.json, log.jsonl"


def test_lines_say_what_memory_an_evaluation_takes_and_when_passes_are_halved(story, printed):
    def told(done: float, size: int) -> EvaluationStep:
        return replace(story.half, done=done, of=4, accuracy={}, memory=3 * 2**29, pass_size=size)

    gate = replace(story.half, done=1, of=1, threat="sanity gate", accuracy={})
    assert printed(told(0, 128), told(1, 128), told(2, 64), told(3, 64), gate) == [
        "  evaluation: up to 1.5 GiB besides network and data, passes of 128",
        "  evaluation: too little memory for passes of 128; up to 1.5 GiB besides network and "
        "data, passes of 64",
    ]
