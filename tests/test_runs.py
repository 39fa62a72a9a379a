import ast
import errno
import json
import os
import pickle
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import moat
from moat.errors import RunFolderError
from moat.own_files import mend_of_file
from moat.runs import FORMAT, RunFolder, cache_of, find_runs
from moat.storage import write_text
from moat.testing.run_record import run_record
from moat.version import __version__

DELETE_OR_OVERWRITE = "Delete it, or train this run again with --overwrite."


def outcome_arrays(value: int) -> dict[str, np.ndarray]:
    return {"values": np.full((3, 2), value, np.int8), "threats": np.array(["natural", "pgd"])}


# Each file of a run folder: how a value is written, and how it is read back.
FILES = {
    "recipe.toml": (lambda run, n: run.write_recipe({"seed": n}), lambda run: run.read_recipe()),
    "run.json": (
        lambda run, n: run.write_record(run_record(seed=n, scores={"of": [n] * 30})),
        lambda run: run.read_record(),
    ),
    "checkpoint.pt": (
        lambda run, n: run.save_checkpoint({"seed": n, "weights": torch.full((500,), float(n))}),
        lambda run: run.load_checkpoint(),
    ),
    "model.safetensors": (
        lambda run, n: run.save_model({"weights": torch.full((500,), float(n))}),
        lambda run: run.load_model(),
    ),
    "evaluation.npz": (
        lambda run, n: run.save_evaluation(outcome_arrays(n), {"scores": {"of": [n] * 30}}),
        lambda run: run.load_evaluation(),
    ),
    "evaluation.json": (
        lambda run, n: run.save_evaluation(outcome_arrays(n), {"scores": {"of": [n] * 30}}),
        lambda run: run.load_evaluation(),
    ),
}
every_file = pytest.mark.parametrize("name", FILES)


@pytest.fixture
def run(tmp_path) -> RunFolder:
    return RunFolder(tmp_path)


def write(run: RunFolder, name: str, value: int) -> None:
    FILES[name][0](run, value)


def read(run: RunFolder, name: str) -> object:
    return FILES[name][1](run)


def contents(run: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.path.iterdir()}


def fails(code: int):
    def fail(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    return fail


# What is written is read back.


def test_a_record_is_read_back_with_its_format(run):
    record = run_record(seed=3, scores={"union": 41.5})
    run.write_record(record)
    again = run.read_record()
    assert again.as_table() == {"format": FORMAT, **record.as_table()}
    assert (again.seed, again.scores) == (3, {"union": 41.5})


def test_a_recipe_is_read_back(run):
    recipe = {"seed": 1, "threats": {"pgd": {"epsilon": 0.3}}, "sweep": [0.2, 0.5]}
    run.write_recipe(recipe)
    assert run.read_recipe() == recipe
    assert run.recipe.is_file()


def test_a_checkpoint_is_read_back_with_tensors_and_plain_values(run):
    state = {"epoch": 3, "best": None, "optimizer": {0: {"m": torch.rand(3)}}, "log": [1.5, "a"]}
    run.save_checkpoint(state)
    again = run.load_checkpoint()
    assert again is not None
    torch.testing.assert_close(again["optimizer"][0]["m"], state["optimizer"][0]["m"])
    assert (again["epoch"], again["best"], again["log"]) == (3, None, [1.5, "a"])
    assert run.checkpoint.is_file()


def test_the_model_is_read_back_whatever_the_layout_of_its_tensors(run):
    parameter = torch.nn.Parameter(torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last))
    state = {"conv": parameter, "turned": torch.rand(3, 2).T, "steps": torch.tensor(7)}
    run.save_model(state)
    again = run.load_model()
    assert again is not None
    assert {name: value.tolist() for name, value in again.items()} == {
        name: value.tolist() for name, value in state.items()
    }


def test_a_model_that_shares_its_weights_is_kept(run):
    first = torch.nn.Linear(3, 3)
    network = torch.nn.Sequential(first, first)
    run.save_model(network.state_dict())
    again = run.load_model()
    assert again is not None
    network.load_state_dict(again)


def test_an_evaluation_is_read_back(run):
    run.save_evaluation(outcome_arrays(1), {"scores": {"union": 41.5}})
    found = run.load_evaluation()
    assert found is not None
    arrays, about = found
    assert about.scores == {"union": 41.5}
    assert set(arrays) == {"values", "threats"}
    assert arrays["values"].dtype == np.int8
    assert (arrays["values"] == 1).all()
    assert arrays["threats"].tolist() == ["natural", "pgd"]


@every_file
def test_what_was_never_written_is_none(run, name):
    assert read(run, name) is None


@pytest.mark.parametrize("name", ["evaluation.npz", "evaluation.json"])
def test_half_of_an_evaluation_is_none(run, name):
    run.save_evaluation(outcome_arrays(1), {})
    (run.path / name).unlink()
    assert run.load_evaluation() is None


@every_file
def test_equal_contents_are_equal_bytes(tmp_path, name):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(RunFolder(tmp_path / folder), name, 1)
    if name != "evaluation.npz":  # a zip file holds the time
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_run_folder_says_where_it_is(tmp_path):
    assert repr(RunFolder(str(tmp_path))) == f"RunFolder({str(tmp_path)!r})"


# A write is whole or has not happened.


@pytest.mark.parametrize("stop", [OSError(errno.EIO, "I/O error"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", ["fsync", "replace"])
@every_file
def test_a_crash_while_writing_leaves_the_old_file_and_no_other(run, monkeypatch, name, at, stop):
    write(run, name, 1)
    before = contents(run)

    def crash(*args):
        raise stop

    monkeypatch.setattr(os, at, crash)
    with pytest.raises((RunFolderError, KeyboardInterrupt)):
        write(run, name, 2)
    assert contents(run) == before


@every_file
def test_a_crash_after_the_rename_leaves_the_new_file_whole(run, monkeypatch, name):
    write(run, name, 1)
    truly = os.fsync

    def crash_on_folders(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise KeyboardInterrupt
        truly(descriptor)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to tell the folder's descriptor")
    monkeypatch.setattr(os, "fsync", crash_on_folders)
    with pytest.raises(KeyboardInterrupt):
        write(run, name, 2)
    assert list(run.path.glob(".*.tmp")) == []
    assert read(run, name) is not None


def test_a_state_that_cannot_be_saved_leaves_the_old_checkpoint(run):
    run.save_checkpoint({"epoch": 1})
    with pytest.raises((pickle.PicklingError, AttributeError)):
        run.save_checkpoint({"epoch": 2, "schedule": lambda epoch: epoch})
    assert run.load_checkpoint() == {"epoch": 1}
    assert [path.name for path in run.path.iterdir()] == ["checkpoint.pt"]


def test_bytes_reach_the_disk_before_the_file_takes_its_place(run, monkeypatch):
    order = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("fsync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), replace(a, b)))
    run.write_record(run_record())
    assert order == ["fsync", "replace", "fsync"]


# Disks that refuse.


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@every_file
def test_a_full_disk_is_named_and_nothing_is_lost(run, monkeypatch, name, code):
    write(run, name, 1)
    before = contents(run)
    monkeypatch.setattr(os, "fsync", fails(code))
    with pytest.raises(RunFolderError) as raised:
        write(run, name, 2)
    assert raised.value.message == "cannot write: the disk is full."
    assert raised.value.hint == (
        "Free some space, then run the same command again: no file is lost."
    )
    assert raised.value.where.startswith(str(run.path))
    assert contents(run) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@every_file
def test_a_disk_that_fills_up_in_the_middle_of_a_file_is_named(run, monkeypatch, name):
    truly = Path.open

    def on_a_full_disk(path, mode="r", *args, **kwargs):
        return truly(Path("/dev/full") if mode == "wb" else path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", on_a_full_disk)
    with pytest.raises(RunFolderError, match=r"cannot write: the disk is full\."):
        write(run, name, 2)


def test_a_log_on_a_full_disk_is_named(run, monkeypatch):
    monkeypatch.setattr(Path, "open", fails(errno.ENOSPC))
    with pytest.raises(RunFolderError, match=r"cannot write: the disk is full\."):
        run.append_log({"step": 1})


ACTIONS = {
    **{name: lambda run, write=write: write(run, 1) for name, (write, _) in FILES.items()},
    "log": lambda run: run.append_log({"step": 1}),
    "clear": lambda run: run.clear(),
    "lock": lambda run: run.locked().__enter__(),
    "text": lambda run: write_text(run.path / "front.csv", "a,b"),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_a_folder_that_cannot_be_one_is_named(tmp_path, action):
    (tmp_path / "file").write_text("no folder")
    run = RunFolder(tmp_path / "file" / "seed-0")
    with pytest.raises(RunFolderError) as raised:
        action(run)
    assert raised.value.message == "cannot write: Not a directory."
    assert raised.value.hint == "Name a folder you may write to with --results."
    assert raised.value.where.startswith(str(run.path))


def test_a_folder_without_permission_is_named(run, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", fails(errno.EACCES))
    with pytest.raises(RunFolderError, match=r"cannot write: Permission denied\."):
        run.locked().__enter__()


def test_an_error_without_a_text_of_its_own_is_shown_as_it_is(run, monkeypatch):
    def refuse(*args):
        raise OSError("the tape is torn")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(RunFolderError, match=r"cannot write: the tape is torn\."):
        run.write_record(run_record())


# Files that are truncated or not moat's.


def assert_refused(run: RunFolder, name: str, reason: str = "") -> None:
    with pytest.raises(RunFolderError) as raised:
        read(run, name)
    assert raised.value.message.startswith("the file is truncated or not moat's (")
    assert reason in raised.value.message
    assert raised.value.where == str(run.path / name)
    assert raised.value.hint == mend_of_file(name, str(run.path))


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.7, 0.95])
@pytest.mark.parametrize("name", [name for name in FILES if name != "recipe.toml"])
def test_a_truncated_file_is_refused_by_its_name(run, name, share):
    write(run, name, 1)
    whole = (run.path / name).read_bytes()
    (run.path / name).write_bytes(whole[: int(share * len(whole))])
    assert_refused(run, name)


def test_a_recipe_cut_within_a_value_is_refused(run):
    run.recipe.write_text('seed = 0\ntype = "two-mom')
    assert_refused(run, "recipe.toml", "TOMLDecodeError")


FOREIGN = {
    "text": b"this is no run\n",
    "bytes": bytes(range(256)) * 4,
    "zip": b"PK\x03\x04" + b"x" * 200,
    "pickle": pickle.dumps({"a": [1, 2]}, protocol=2)[:-1],
    "numpy": b"\x93NUMPY\x01\x00",
    "list": b"[1, 2]",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
@every_file
def test_a_foreign_file_is_refused_by_its_name(run, name, content):
    write(run, name, 1)
    (run.path / name).write_bytes(content)
    assert_refused(run, name)


@given(seed=st.integers(0, 10_000))
@every_file
def test_a_file_with_changed_bytes_is_read_or_refused_and_raises_nothing_else(
    tmp_path_factory, name, seed
):
    run = RunFolder(tmp_path_factory.mktemp("run"))
    write(run, name, 1)
    random = np.random.default_rng(seed)
    content = np.frombuffer((run.path / name).read_bytes(), np.uint8).copy()
    where = random.integers(len(content), size=random.integers(1, 20))
    content[where] = random.integers(256, size=len(where))
    (run.path / name).write_bytes(content.tobytes())
    with suppress(RunFolderError):
        read(run, name)


def test_an_array_in_the_place_of_the_arrays_is_refused(run):
    run.save_evaluation(outcome_arrays(1), {})
    with (run.path / "evaluation.npz").open("wb") as file:
        np.save(file, np.zeros((3, 2)))
    assert_refused(run, "evaluation.npz")


def test_a_folder_in_the_place_of_a_file_is_refused(run):
    (run.path / "run.json").mkdir()
    with pytest.raises(RunFolderError, match="a folder is in the place of a file of moat's"):
        run.read_record()


def test_a_record_of_another_format_is_refused(run):
    for found in (FORMAT - 1, True, "1", None):
        (run.path / "run.json").write_text(json.dumps({"format": found}))
        assert_refused(run, "run.json", f"its format is not {FORMAT}")


def test_a_record_of_a_newer_moat_is_refused_with_the_mend(run):
    (run.path / "run.json").write_text(json.dumps({"format": FORMAT + 1}))
    with pytest.raises(RunFolderError) as caught:
        run.read_record()
    assert str(caught.value) == (
        f"{run.path / 'run.json'}: it has format {FORMAT + 1}, from a newer moat; moat "
        f"{__version__} reads format {FORMAT}.\n"
        "  Upgrade moat-robust: git pull in its checkout, or install a newer wheel."
    )


@pytest.mark.parametrize("name", ["run.json", "evaluation.json"])
def test_a_record_that_is_no_table_is_refused(run, name):
    (run.path / name).write_text("[]")
    assert_refused(run, name, "it is not a table")


def test_a_checkpoint_that_is_no_table_is_refused(run):
    torch.save(torch.rand(3), run.checkpoint)
    assert_refused(run, "checkpoint.pt", "it is not a table")


class Trap:
    def __reduce__(self):
        return os.mkdir, ("sprung",)


@pytest.mark.parametrize("save", ["torch", "pickle"])
def test_a_checkpoint_runs_no_code(run, monkeypatch, save):
    monkeypatch.chdir(run.path)
    if save == "torch":
        torch.save({"state": Trap()}, run.checkpoint)
    else:
        run.checkpoint.write_bytes(pickle.dumps({"state": Trap()}, protocol=2))
    assert_refused(run, "checkpoint.pt")
    assert not (run.path / "sprung").exists()


def test_an_evaluation_runs_no_code(run, monkeypatch):
    monkeypatch.chdir(run.path)
    run.save_evaluation(outcome_arrays(1), {})
    np.savez(run.path / "evaluation.npz", values=np.array([Trap()], dtype=object))
    assert_refused(run, "evaluation.npz", "allow_pickle=False")
    assert not (run.path / "sprung").exists()


def torch_loads(source: Path) -> list[ast.Call]:
    """Return the calls of torch.load in a file, and fail where it is imported by name."""
    tree = ast.parse(source.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("torch", "torch.serialization"):
            assert "load" not in [alias.name for alias in node.names], source
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"
    ]


def test_torch_load_is_only_ever_called_with_weights_only():
    calls = [
        call for source in Path(moat.__file__).parent.rglob("*.py") for call in torch_loads(source)
    ]
    assert calls  # or this test looks in the wrong place
    for call in calls:
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert given.get("weights_only") == "True", ast.unparse(call)


# The log.


def test_a_log_is_read_back_line_by_line(run):
    assert run.read_log() == []
    records = [{"step": 1, "loss": {"natural": 2.3}}, {"step": 2, "text": "Zeile\u2028 ü"}]
    for record in records:
        run.append_log(record)
    assert run.read_log() == records


@pytest.mark.parametrize("torn", ['{"step": 2, "lo', '{"step": 2, "text": "\\u20', "{", "2"])
def test_a_last_line_torn_by_a_crash_is_left_out(run, torn):
    run.append_log({"step": 1})
    with (run.path / "log.jsonl").open("a") as file:
        file.write(torn)
    assert run.read_log() == [{"step": 1}]


@pytest.mark.parametrize("line", ["{broken", "[1, 2]"])
def test_a_broken_line_in_the_middle_is_refused_by_its_number(run, line):
    (run.path / "log.jsonl").write_text(f'{{"step": 1}}\n{line}\n{{"step": 3}}\n')
    with pytest.raises(RunFolderError) as raised:
        run.read_log()
    assert "(line 2: " in raised.value.message
    assert raised.value.where == str(run.path / "log.jsonl")
    assert raised.value.hint == DELETE_OR_OVERWRITE


def test_a_log_that_is_no_text_is_refused(run):
    (run.path / "log.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RunFolderError, match="truncated or not moat's"):
        run.read_log()


@given(steps=st.lists(st.integers(0, 30), max_size=10), back_to=st.integers(0, 30))
def test_a_rewound_log_has_no_later_step(tmp_path_factory, steps, back_to):
    run = RunFolder(tmp_path_factory.mktemp("run"))
    for step in steps:
        run.append_log({"step": step})
    run.rewind_log(back_to)
    assert run.read_log() == [{"step": step} for step in steps if step <= back_to]


def test_rewinding_mends_a_torn_line_so_that_the_log_goes_on(run):
    run.append_log({"step": 0, "event": "start"})
    run.append_log({"step": 1})
    with (run.path / "log.jsonl").open("a") as file:
        file.write('{"step": 2, "lo')
    run.rewind_log(1)
    run.append_log({"step": 2})
    assert run.read_log() == [{"step": 0, "event": "start"}, {"step": 1}, {"step": 2}]


# One writer.

HOLD = """
import sys
from moat.runs import RunFolder

with RunFolder(sys.argv[1]).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_writes_and_goes_on_when_that_one_is_killed(run):
    command = [sys.executable, "-c", HOLD, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(RunFolderError) as raised, run.locked():
            pytest.fail("the lock was held twice")
        other.kill()
    assert raised.value.message == (
        f"another process is writing this run: process {other.pid} on {socket.gethostname()}."
    )
    assert raised.value.where == str(run.path)
    assert raised.value.hint == "Wait for it, or stop it; the run resumes where it was."
    with run.locked():
        holder = json.loads((run.path / ".holder.json").read_text())
        assert holder["pid"] == os.getpid()


def test_a_holder_that_has_not_said_who_it_is_is_unknown(run):
    with run.locked():
        (run.path / ".holder.json").unlink()
        with pytest.raises(RunFolderError, match="process unknown on unknown"):
            RunFolder(run.path).locked().__enter__()


def test_the_folder_is_made_for_its_writer_and_free_after_an_error(tmp_path):
    run = RunFolder(tmp_path / "deep" / "seed-0")
    with pytest.raises(ZeroDivisionError), run.locked():
        raise ZeroDivisionError
    with run.locked():
        assert (run.path / ".holder.json").exists()
    assert not (run.path / ".holder.json").exists()


def test_a_disk_that_is_full_when_the_lock_is_taken_frees_it(run, monkeypatch):
    monkeypatch.setattr(os, "fsync", fails(errno.ENOSPC))
    with pytest.raises(RunFolderError, match="the disk is full"), run.locked():
        pytest.fail("locked without saying who")
    monkeypatch.undo()
    with run.locked():
        pass


# Around a run folder.


def test_clearing_deletes_what_a_run_wrote_and_nothing_else(run):
    for name in FILES:
        write(run, name, 1)
    run.append_log({"step": 1})
    (run.path / "notes.txt").write_text("mine")
    run.clear()
    assert [path.name for path in run.path.iterdir()] == ["notes.txt"]
    run.clear()  # nothing to delete is no error


def test_finished_runs_are_found_anywhere_below_in_order(tmp_path):
    for name in ("b/seed-0", "a/r=0.5/seed-1", "a/r=0.5/seed-0"):
        (tmp_path / name).mkdir(parents=True)
        RunFolder(tmp_path / name).write_record(run_record())
    (tmp_path / "unfinished").mkdir()
    RunFolder(tmp_path / "unfinished").save_checkpoint({})
    found = [run.path.relative_to(tmp_path).as_posix() for run in find_runs(tmp_path)]
    assert found == ["a/r=0.5/seed-0", "a/r=0.5/seed-1", "b/seed-0"]
    assert find_runs(tmp_path / "nothing") == []


def test_a_text_is_written_and_its_folder_made(tmp_path):
    write_text(tmp_path / "deep" / "front.csv", "ä,b\n")
    write_text(tmp_path / "deep" / "front.csv", "c,d\n")
    assert (tmp_path / "deep" / "front.csv").read_text("utf-8") == "c,d\n"


def test_a_checkpoint_is_loaded_onto_the_device_that_is_asked_for(run):
    run.save_checkpoint({"weights": torch.rand(3)})
    state = run.load_checkpoint(torch.device("meta"))
    assert state is not None
    assert state["weights"].device.type == "meta"


def test_arrays_of_objects_are_never_written(run):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        run.save_evaluation({"values": np.array([{}], dtype=object)}, {})
    assert list(run.path.iterdir()) == []


def test_what_a_killed_write_left_behind_is_swept_away_by_the_next_writer(run):
    left = run.path / ".run.json.moat-123.tmp"
    left.write_bytes(b"half of it")
    with run.locked():
        assert not left.exists()


def test_the_cache_lies_beside_the_study_of_a_run(tmp_path):
    run = tmp_path / "results" / "mine" / "pareto" / "r=1" / "seed-0"
    assert cache_of(run, "mine") == tmp_path / "results" / ".cache"
    assert cache_of(run, "other") is None


# how long it took


def test_a_clock_keeps_what_is_added_and_a_broken_one_says_nothing(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.read_clock() == {}
    folder.write_clock({"training": 2.0})
    folder.write_clock({"evaluation": 1.0})
    assert folder.read_clock() == {"training": 2.0, "evaluation": 1.0}
    (tmp_path / "clock.json").write_text("{")
    assert folder.read_clock() == {}
    folder.clear()
    assert not (tmp_path / "clock.json").exists()


def test_the_times_of_an_evaluation_s_parts_ascend(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.part_times() == []
    parts = folder.evaluation_parts("one")
    for batch, kept in enumerate((parts, parts, parts.validation())):
        kept.save(batch, "pgd", {"outcomes": np.zeros(1)})
    times = folder.part_times()
    assert len(times) == 3
    assert times == sorted(times)


def test_a_newer_format_names_the_moat_that_wrote_it(tmp_path):
    from moat.runs.formats import in_format

    with pytest.raises(RunFolderError) as raised:
        in_format({"format": 99, "moat": "9.1.0"}, FORMAT, tmp_path / "run.json")
    assert "from a newer moat (9.1.0); moat" in raised.value.message
    assert "elete" not in raised.value.hint
    for writer in (None, 3, "9\x1b[31m", __version__):
        with pytest.raises(RunFolderError, match="from a newer moat; moat"):
            in_format({"format": 99, "moat": writer}, FORMAT, tmp_path / "run.json")
