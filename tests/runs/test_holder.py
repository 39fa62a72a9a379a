import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moat.runs import RunFolder, holder

HOLD = """
import sys
from moat.runs import RunFolder

with RunFolder(sys.argv[1]).locked():
    print("held", flush=True)
    sys.stdin.read()
"""
HOLDER = ".holder.json"


@pytest.fixture
def run(tmp_path) -> RunFolder:
    return RunFolder(tmp_path)


def left_behind(run: RunFolder, seconds: float = 0.0, **said: object) -> None:
    """Write a holder's file as a process would have, so many seconds ago."""
    path = run.path / HOLDER
    path.write_text(json.dumps({"pid": os.getpid(), **holder._here(), **said}))
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_folder_is_held_while_its_writer_is_at_it(run):
    assert not run.is_held
    with run.locked():
        assert run.is_held
    assert not run.is_held


def test_a_killed_writer_holds_nothing_from_that_moment_on(run):
    command = [sys.executable, "-c", HOLD, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert run.is_held
        other.kill()
        other.wait()
        assert (run.path / HOLDER).exists()  # it could not clear up
        assert not run.is_held


def test_where_a_signal_would_end_the_process_none_is_sent(run, monkeypatch):
    monkeypatch.setattr(holder, "POSIX", False)  # as on Windows
    monkeypatch.setattr(holder.os, "kill", None)  # calling it would raise
    left_behind(run, pid=2**22 + 1)
    assert run.is_held
    left_behind(run, seconds=holder.SILENT + 1)
    assert not run.is_held


def test_asking_changes_nothing_and_keeps_no_writer_out(run):
    left_behind(run, pid=2**22 + 1)
    before = {path: path.stat() for path in [run.path, *run.path.iterdir()]}
    assert not run.is_held
    assert {path: path.stat() for path in [run.path, *run.path.iterdir()]} == before
    assert not (run.path / ".lock").exists()


@pytest.mark.parametrize("key", ["host", "namespace"])
def test_of_a_writer_elsewhere_the_beat_alone_says_whether_it_lives(run, key):
    left_behind(run, 1.0, pid=2**22 + 1, **{key: "elsewhere"})
    assert run.is_held
    left_behind(run, holder.SILENT + 5, pid=2**22 + 1, **{key: "elsewhere"})
    assert not run.is_held


def test_a_number_that_another_process_has_by_now_is_no_proof_of_life(run):
    left_behind(run, holder.SILENT + 5)  # our own number
    assert not run.is_held


@pytest.mark.parametrize("pid", [None, "12", -1, 0, 10**30])
def test_a_process_that_cannot_be_is_not_alive(run, pid):
    left_behind(run, pid=pid)
    assert not run.is_held


def test_a_process_of_another_user_is_alive(run, monkeypatch):
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    left_behind(run)
    assert run.is_held


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_file_that_is_not_a_holders_is_taken_for_one_that_lives_elsewhere_until_silent(
    run, content
):
    (run.path / HOLDER).write_bytes(content)
    assert run.is_held
    os.utime(run.path / HOLDER, (1, 1))
    assert not run.is_held


def test_a_holder_beats(run, monkeypatch):
    monkeypatch.setattr(holder, "BEAT", 0.01)
    with run.locked():
        path = run.path / HOLDER
        os.utime(path, (1, 1))
        deadline = time.monotonic() + 30
        while path.stat().st_mtime == 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert run.is_held


def test_a_beat_that_the_disk_refuses_stops_nothing(run, monkeypatch):
    monkeypatch.setattr(holder, "BEAT", 0.01)
    refused = []

    def refuse(path: Path) -> None:
        refused.append(path)
        raise OSError

    monkeypatch.setattr(os, "utime", refuse)
    with run.locked():
        deadline = time.monotonic() + 30
        while len(refused) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_holder_says_which_machine_it_is_on(run, monkeypatch):
    with run.locked():
        said = json.loads((run.path / HOLDER).read_text("utf-8"))
    assert (said["pid"], said["host"]) == (os.getpid(), socket.gethostname())

    def none(path: str) -> str:
        raise OSError

    monkeypatch.setattr(os, "readlink", none)  # a system without /proc
    assert holder._here() == {"host": socket.gethostname(), "namespace": ""}
