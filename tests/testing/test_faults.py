"""The disk that fails at one call, and the check that finds what a command does not keep."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from moat.errors import DiskError, MoatError
from moat.storage import disk as told
from moat.storage import make_folder, replace, sweep
from moat.testing import Killed, check_faults, faulty_disk
from moat.testing.faults import ERRORS


def every_call(folder: Path) -> None:
    """Make a call of each kind."""
    (folder / "new").mkdir()
    with (folder / "new" / "a").open("wb") as file:
        file.write(b"content")
        file.flush()
        os.fsync(file.fileno())
    os.replace(folder / "new" / "a", folder / "new" / "b")
    (folder / "new" / "b").read_bytes()
    with (folder / "log").open("a", encoding="utf-8") as text:
        text.write("line\n")
    number = os.open(folder / "raw", os.O_CREAT | os.O_WRONLY)
    try:
        os.write(number, b"more")
    finally:
        os.close(number)
    (folder / "raw").unlink()
    shutil.rmtree(folder / "new")


def test_every_kind_of_call_is_counted_and_those_elsewhere_are_not(tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    with faulty_disk(below) as disk:
        every_call(below)
        (tmp_path / "elsewhere").write_text("not counted")
        (tmp_path / "below2").mkdir()
    assert {kind for kind, _ in disk.calls} == set(ERRORS)
    assert ("replace", "new/b") in disk.calls
    assert disk.versions == {"new/b": {b"content"}}
    assert all("elsewhere" not in path for _, path in disk.calls)


def test_the_call_of_that_number_fails_and_no_other(tmp_path):
    with faulty_disk(tmp_path / "0") as disk:
        (tmp_path / "0").mkdir()
        every_call(tmp_path / "0")
    for number, (kind, path) in enumerate(disk.calls[1:], 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        with faulty_disk(folder, number, errno.EIO) as failing:
            with pytest.raises(OSError, match="Input/output error") as refused:
                every_call(folder)
            assert refused.value.errno == errno.EIO
            assert failing.calls[number - 1] == (kind, path)
            (folder / "after").write_text("it goes on")


def test_a_write_that_is_refused_has_written_half(tmp_path):
    with (
        faulty_disk(tmp_path, 2, errno.ENOSPC),
        (tmp_path / "a").open("wb", buffering=0) as file,
    ):
        assert file.write(b"content") == 3
        with pytest.raises(OSError, match="No space left"):
            file.write(b"tent")
        assert (tmp_path / "a").read_bytes() == b"con"


def test_a_disk_that_goes_on_to_refuse_is_read_and_meets_only_what_it_could(tmp_path):
    (tmp_path / "a").write_text("there")
    with faulty_disk(tmp_path, 1, errno.ENOSPC, lasting=True):
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                (tmp_path / "b").write_text("no")
        assert (tmp_path / "a").read_text() == "there"
        (tmp_path / "a").unlink()


def test_a_dead_process_clears_nothing_up(tmp_path):
    def command() -> None:
        (tmp_path / "a").mkdir()
        try:
            (tmp_path / "b").write_text("content")
        finally:
            (tmp_path / "a").rmdir()
            os.replace(tmp_path / "b", tmp_path / "c")

    with faulty_disk(tmp_path, 3), pytest.raises(Killed):
        command()
    assert {p.name: p.is_file() and p.read_text() for p in tmp_path.iterdir()} == {
        "a": False,
        "b": "con",
    }
    with faulty_disk(tmp_path, 1) as disk:
        with pytest.raises(Killed):
            (tmp_path / "c").mkdir()
        with pytest.raises(Killed):
            (tmp_path / "b").read_text()  # not even this
        assert len(disk.calls) == 1


def test_a_process_of_its_own_is_killed_in_truth(tmp_path):
    code = """
import sys
from pathlib import Path
from moat.storage import replace
from moat.testing.faults import faulty_disk, kill
folder = Path(sys.argv[1])
with faulty_disk(folder, 2, kill):
    replace(folder / "a", b"content")
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True)
    assert done.returncode == -9
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.")


# What a command must keep: each of these lacks one thing, and the check says which.


def good(folder: Path) -> None:
    with told(folder):
        sweep(folder, ["a", "b"])
    replace(folder / "a", b"new")
    replace(folder / "b", b"new, too")


def writes_in_place(folder: Path) -> None:
    with told(folder):
        (folder / "a").write_text("new content")


def raises_what_the_disk_says(folder: Path) -> None:
    os.replace(folder / "old", folder / "a") if (folder / "old").exists() else None


def leaves_temporaries(folder: Path) -> None:
    replace(folder / "a", b"new")


def goes_on_wrongly(folder: Path) -> None:
    with told(folder):
        first = not (folder / "b").exists()
        sweep(folder, ["a", "b"])
        replace(folder / "b", b"begun")
        replace(folder / "a", b"first" if first else b"second")


def gives_up(folder: Path) -> None:
    make_folder(folder / "half")
    if not (folder / "a").exists() and len(list(folder.glob("half/*"))):
        raise MoatError("half of it is there.")
    replace(folder / "half" / "b", b"half")
    replace(folder / "a", b"new")


def says_what_it_could_not_read(folder: Path) -> None:
    with told(folder):
        sweep(folder, ["a"])
    try:
        read = (folder / "notes").read_text("utf-8")
    except OSError as error:
        read = f"not read: {error.strerror}"
    replace(folder / "a", read.encode())


def writes_half_of_what_it_could_not_read(folder: Path) -> None:
    try:
        (folder / "notes").read_bytes()
    except OSError:
        (folder / "a").write_text("hal", "utf-8")
        raise MoatError("notes cannot be read.") from None
    with told(folder):
        replace(folder / "a", b"half")


BROKEN = {
    writes_half_of_what_it_could_not_read: "a is neither the old file nor a new one",
    writes_in_place: "a is neither the old file nor a new one",
    raises_what_the_disk_says: "not a MoatError",
    leaves_temporaries: "is left behind",
    goes_on_wrongly: "run again, a is not the same",
    gives_up: "run again, it raises",
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "folder"
    made.mkdir()
    for name in ("notes", "old"):
        (made / name).write_text("mine", "utf-8")
    return made


def test_a_command_that_keeps_all_passes_with_every_case(folder):
    count = check_faults(folder, lambda: good(folder))
    assert count > 30
    assert (folder / "notes").read_text("utf-8") == "mine"


def test_a_command_may_write_that_it_could_not_read_a_file(folder):
    assert check_faults(folder, lambda: says_what_it_could_not_read(folder)) > 10


def test_cases_are_drawn_from_the_seed_and_bounded(folder, tmp_path):
    assert check_faults(folder, lambda: good(folder), most=3) == 3
    shutil.rmtree(folder.with_name("folder.before"))
    assert check_faults(folder, lambda: good(folder), seconds=0.0) == 0


@pytest.mark.parametrize("command", BROKEN, ids=lambda command: command.__name__)
def test_what_a_command_does_not_keep_is_named_with_its_case(folder, command):
    with pytest.raises(AssertionError) as raised:
        check_faults(folder, lambda: command(folder))
    assert BROKEN[command] in str(raised.value)
    assert " at call " in str(raised.value)


def test_what_the_disk_refuses_is_a_disk_error(folder):
    with faulty_disk(folder, 1, errno.EROFS), pytest.raises(DiskError, match="Read-only"):
        replace(folder / "a", json.dumps({}).encode())
