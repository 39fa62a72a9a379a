"""What stands where moat's own belongs is refused at once, and moved aside with --overwrite."""

import os
from pathlib import Path

import pytest

from moat.errors import RunFolderError
from moat.runs import RunFolder
from moat.study import evaluate_run
from moat.study.overwriting import make_way

FILES = (
    *("run.json", "evaluation.json", "evaluation.npz", "validation.npz", "gallery.npz"),
    *("model.safetensors", "checkpoint.pt", "log.jsonl", "recipe.toml", "failed.json"),
    *(".holder.json", ".lock"),
)
FOLDERS = (".evaluation", "tensorboard")


def folder(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "mine.txt").write_text("mine", "utf-8")


def broken_link(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path.with_name("an archive that is not mounted"))


def pipe(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


def file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine", "utf-8")


CASES = [
    *((name, make) for name in FILES for make in (folder, broken_link, pipe)),
    *((name, make) for name in (*FOLDERS, ".") for make in (file, broken_link)),
]


@pytest.mark.parametrize(("name", "make"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_what_is_in_the_way_is_refused_by_name_and_moved_aside_whole(tmp_path, name, make):
    run = RunFolder(tmp_path / "seed-0")
    path = run.path / name if name != "." else run.path
    make(path)
    with pytest.raises(RunFolderError) as refused, run.locked():
        pytest.fail("it was held")
    assert refused.value.message.startswith("cannot write: a")
    assert refused.value.message.endswith(" is in the place of moat's own.")
    assert refused.value.where == str(path)
    assert refused.value.hint == (
        "Nothing was written. Move it away; or use --overwrite, which moves it aside."
    )
    heard = []

    def hear(event):
        assert path.is_symlink() or path.exists()  # it is said before it is done
        heard.append(event.what)

    make_way(run, hear)
    (said,) = heard
    assert said.startswith(f"{path.name} (")
    kept = path.with_name(f"{path.name}.kept")
    assert kept.is_symlink() or kept.exists()
    if make is folder:
        assert (kept / "mine.txt").read_text("utf-8") == "mine"
    with run.locked():
        pass


def test_a_name_that_is_taken_is_not_taken_twice(tmp_path):
    run = RunFolder(tmp_path)
    for number in range(3):
        (tmp_path / "run.json").mkdir()
        (tmp_path / "run.json" / "number").write_text(str(number))
        run.make_way()
    names = ("run.json.kept", "run.json.kept-2", "run.json.kept-3")
    assert [(tmp_path / name / "number").read_text() for name in names] == ["0", "1", "2"]


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "run.json")
    with pytest.raises(RunFolderError, match="it is not a regular file"):
        RunFolder(tmp_path).read_record()


def test_nothing_in_the_way_is_nothing_to_say(tmp_path):
    make_way(RunFolder(tmp_path / "new"), lambda event: pytest.fail("nothing is overwritten"))
    assert not (tmp_path / "new").exists()


def test_clearing_leaves_a_users_files_among_the_event_files(tmp_path):
    run = RunFolder(tmp_path)
    run.tensorboard.mkdir()
    users = {"events.out.tfevents.1.host", "notes.md"}  # the former drawn by code of the user's
    for name in (*users, "events.out.tfevents.2.host.7.0.moat"):
        (run.tensorboard / name).write_text("")
    assert run.others() == [f"tensorboard/{name}" for name in sorted(users)]
    run.clear()
    assert {path.name for path in run.tensorboard.iterdir()} == users


def test_an_evaluation_is_not_searched_where_it_cannot_be_kept(tmp_path, recipe, monkeypatch):
    from moat import study

    path = recipe("examples = 40", "examples = 6")
    (run,) = study.train(path, only=("plain",), results=tmp_path / "r", device="cpu").done
    (run / "gallery.npz").unlink()
    (run / "gallery.npz").mkdir()
    monkeypatch.setattr("moat.study.judge.evaluate", lambda *a, **k: pytest.fail("it searched"))
    with pytest.raises(RunFolderError, match=r"gallery\.npz: cannot write: a folder is"):
        evaluate_run(run, "cpu")
