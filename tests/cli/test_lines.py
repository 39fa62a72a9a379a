"""Lines for people: what files and code of a user's say is shown, and obeyed by no terminal."""

import ast
from pathlib import Path

import pytest

from moat.cli.display.lines import PlainLines
from moat.cli.display.messages import message
from moat.cli.lines import say
from moat.events import (
    DataNote,
    Event,
    Note,
    Overwrite,
    RunEnd,
    RunFailure,
    RunHold,
    StudyNote,
    WorkerLoss,
)

CLI = Path(__file__).parents[2] / "moat" / "cli"
EVIL = "\x1b]0;title\x07 \x1b[31mred\x9b2J\u202e"
RUN, NAMED = Path("r"), {"label": "v", "variant": "v", "sweep": {}, "seed": 0}
EVENTS = [
    DataNote(text=EVIL),
    StudyNote(text=EVIL),
    Note(run=RUN, text=EVIL),
    Overwrite(folder=Path(EVIL), what=EVIL),
    *(kind(run=RUN, **NAMED, message=EVIL) for kind in (RunFailure, RunHold)),
    RunEnd(
        run=RUN, **{**NAMED, "label": EVIL}, scores={"natural": 1.0, "scores": {}, "union": 1.0}
    ),
    WorkerLoss(run=RUN, **NAMED, text=EVIL),
]


def is_harmless(text: str) -> bool:
    return all(char == "\n" or char.isprintable() for char in text)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_what_an_event_tells_is_escaped_in_lines_and_on_a_screen(event: Event, capsys):
    PlainLines()(event)
    printed = capsys.readouterr().out
    assert is_harmless(printed)
    shown = message(event, {RUN: EVIL}) or ""
    assert is_harmless(shown)
    assert r"\x1b[31mred" in shown
    assert r"\x1b[31mred" in printed or isinstance(event, RunEnd)  # whose name stands above


@pytest.mark.parametrize("err", [False, True])
def test_a_line_keeps_its_ends_and_escapes_the_rest(err, capsys):
    say(f"one\n{EVIL}", err=err)
    told = capsys.readouterr()
    assert (told.err if err else told.out).startswith("one\n\\x1b]0;title")
    assert is_harmless(told.out + told.err)


def test_a_failure_of_a_users_code_is_escaped(moat, tmp_path, monkeypatch, recipe):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"raises_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(f"def make():\n    raise OSError({EVIL!r})\n", "utf-8")
    path = recipe('"tiny-cnn"\nwidth = 4', f'"python:{name}:make"')
    for command in (["train", path, "--only", "plain"], ["watch", "results", "--once"]):
        answer = moat(*command)
        assert answer.code in (1, 2)
        assert is_harmless(answer.out + answer.err), answer
        assert r"\x1b[31mred" in answer.out + answer.err


def test_every_line_of_a_command_goes_through_say():
    """Tables, CSV, JSON and the like may be printed as they are: their texts are escaped before."""
    data = {
        "_text",
        "boards_text",
        "against_text",
        "json_of",
        "runs_csv",
        "sheets_text",
        "sheet_text",
        "resolved_toml",
    }
    for file in sorted(CLI.rglob("*.py")):
        if file.name in ("lines.py", "streams.py", "app.py") and file.parent == CLI:
            continue
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in ("typer.echo", "print"):
                made = ast.unparse(call.args[0]).partition("(")[0]
                assert made in data, f"{file.name}:{call.lineno}: print it with `say`"
