"""A small study to change and to break."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from moat import cli

SMALL = Path(__file__).parents[1] / "small.toml"
Write = Callable[..., Path]


@pytest.fixture
def recipe(tmp_path) -> Write:
    """Write the small study with one piece of its text replaced and more added; return its file."""

    def write(old: str = "", new: str = "", *, more: str = "", name: str = "study.toml") -> Path:
        text = SMALL.read_text("utf-8")
        assert old in text
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new, 1) + more, "utf-8")
        return path

    return write


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def moat(monkeypatch, tmp_path, capsys) -> Callable[..., Answer]:
    """Run a command as the shell would, in a folder of the test's own; nothing may be traced."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["moat", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        answer = Answer(code, *capsys.readouterr())
        assert "Traceback" not in answer.out + answer.err
        return answer

    return run
