"""A small study to change and to break."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from moat import cli


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
