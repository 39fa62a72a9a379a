"""With `overwrite` whatever stands in a run's folder is overwritten, after it was said what."""

import errno
import io
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

import moat
from moat.events import Event, Overwrite
from moat.runs import RunFolder
from moat.study import StudyResult

RUN = Path("study", "plain", "seed-0")
READ = ("run.json", "recipe.toml", "model.safetensors", "evaluation.npz", "evaluation.json")
EVERY = (*READ, "checkpoint.pt", "log.jsonl", "gallery.npz", "failed.json", ".holder.json", ".lock")


class Heard:
    """Notes what is overwritten, and what is there at that moment."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Overwrite):
            self.said.append(f"{event.folder}: {event.what}")


@pytest.fixture(scope="module")
def trained(shared_folder):
    def fill(folder: Path) -> None:
        text = (Path(__file__).parents[1] / "small.toml").read_text("utf-8")
        recipe = folder / "study.toml"
        recipe.write_text(text.replace("examples = 40", "examples = 6"), "utf-8")
        moat.train(recipe, only=["plain"], results=folder / "results", device="cpu")

    return shared_folder("one of six examples", fill)


@pytest.fixture
def results(trained, tmp_path):
    shutil.copytree(trained / "results", tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def train(trained, results) -> Callable[..., StudyResult]:
    def run(**keys: object) -> StudyResult:
        return moat.train(
            trained / "study.toml", only=["plain"], results=results, device="cpu", **keys
        )

    return run


def whole(results: Path, trained: Path) -> None:
    """Hold a run to what it was before anything befell it."""
    for name in ("model.safetensors", "evaluation.npz", "evaluation.json", "recipe.toml"):
        one, other = results / RUN / name, trained / "results" / RUN / name
        assert one.read_bytes() == other.read_bytes(), name
    json.loads((results / RUN / "run.json").read_text("utf-8"))


def folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "mine.txt").write_text("mine", "utf-8")


def broken_link(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("nowhere")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


@pytest.mark.parametrize("make", [folder, broken_link])
@pytest.mark.parametrize("name", EVERY)
def test_what_stands_where_a_file_belongs_is_overwritten_after_it_was_said(
    train, results, trained, name, make
):
    path, heard = results / RUN / name, Heard()
    make(path)
    result = train(overwrite=True, listener=heard)
    assert not result.failed
    assert any(f"{results / RUN}: " in line and name in line for line in heard.said)
    kept = path.with_name(f"{name}.kept")
    assert (kept / "mine.txt").exists() if make is folder else kept.is_symlink()
    assert (
        name == "failed.json"
        or name.startswith(".")
        or path.is_file()
        or name
        in (
            *("checkpoint.pt", "log.jsonl", "gallery.npz"),  # nothing of a finished run needs these
        )
    )
    whole(results, trained)


@pytest.mark.parametrize("name", READ)
def test_a_file_that_is_in_the_way_is_refused_by_name_without_it(train, results, name):
    folder(results / RUN / name)
    (error,) = train().failed.values()
    assert error.where.startswith(str(results / RUN))
    assert "--overwrite" in str(error)
    assert (results / RUN / name / "mine.txt").exists()


@pytest.mark.parametrize("name", READ)
def test_a_file_that_may_not_be_read_is_named_and_overwritten_when_asked(
    train, results, trained, monkeypatch, name
):
    path = results / RUN / name
    closed, truly = path.stat().st_ino, io.open

    def refuse(file, *args, **keys):
        if isinstance(file, str | Path) and Path(file) == path and path.stat().st_ino == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return truly(file, *args, **keys)

    monkeypatch.setattr(io, "open", refuse)  # root may read everything
    monkeypatch.setattr("builtins.open", refuse)
    (error,) = train().failed.values()
    assert error.where == str(path)
    assert "Permission denied" in error.message
    assert "Delete it" not in error.hint
    heard = Heard()
    assert not train(overwrite=True, listener=heard).failed
    assert any(name in line for line in heard.said)
    monkeypatch.undo()
    whole(results, trained)


def test_read_only_files_are_overwritten(train, results, trained):
    for path in (results / RUN).iterdir():
        path.chmod(stat.S_IRUSR)
    (results / RUN / "run.json").write_text("{", "utf-8")
    assert not train(overwrite=True).failed
    whole(results, trained)


@pytest.mark.parametrize("make", [folder, broken_link, cut])
def test_a_list_of_planned_runs_that_is_none_is_made_again(train, results, make):
    path, heard = results / "study" / "study.json", Heard()
    make(path)
    assert train().skipped  # it stands in nobody's way, and stays
    assert path.is_symlink() or path.exists()
    train(overwrite=True, listener=heard)
    (said,) = heard.said
    assert "study.json (a" in said
    assert json.loads(path.read_text("utf-8"))["runs"]
    kept = path.with_name("study.json.kept")
    assert kept.is_symlink() or kept.exists()


def test_all_that_is_deleted_is_said(train, results, trained):
    (results / RUN / "run.json").write_text("{", "utf-8")
    (results / RUN / "notes.txt").write_text("mine", "utf-8")
    heard = Heard()
    assert not train(overwrite=True, listener=heard).failed
    for name in ("run.json", "model.safetensors", "checkpoint.pt", "log.jsonl", "recipe.toml"):
        assert name in heard.said[-1]
    assert "notes.txt" not in heard.said[-1]
    whole(results, trained)


def test_a_linked_folder_of_results_is_written_where_it_leads(train, results, trained, tmp_path):
    (results / "study").rename(tmp_path / "archive")
    (results / "study").symlink_to(tmp_path / "archive")
    cut(tmp_path / "archive" / RUN.relative_to("study") / "run.json")
    assert not train(overwrite=True).failed
    whole(results, trained)
    assert (results / "study").is_symlink()


@pytest.mark.parametrize("name", ["model.safetensors", "log.jsonl", "run.json", "evaluation.npz"])
def test_what_a_user_linked_to_a_runs_file_is_kept(train, results, tmp_path, name):
    kept = tmp_path / "kept"
    kept.hardlink_to(results / RUN / name)
    before = kept.read_bytes()
    cut(results / RUN / "model.safetensors") if name != "model.safetensors" else None
    (results / RUN / "recipe.toml").write_text("[", "utf-8")
    assert not train(overwrite=True).failed
    assert kept.read_bytes() == before


def test_what_a_kill_left_behind_is_swept_by_the_next_command_though_the_run_is_finished(
    train, results
):
    run = results / RUN
    (run / ".holder.json").write_text('{"pid": 4194305}')
    (run / "..holder.json.moat-7.tmp").write_text("half")
    (run / ".run.json.moat-7.tmp").write_text("half")
    (run / ".evaluation" / "f").mkdir(parents=True)
    (run / ".evaluation" / "f" / "00000-pgd.npz").write_bytes(b"part")
    os.utime(run / ".evaluation" / "f" / "00000-pgd.npz", (1, 1))
    (results / "study" / ".study.json.moat-7.tmp").write_text("half")
    (run / ".mine.moat-7.tmp").write_text("an editor's")
    record = (run / "run.json").stat().st_mtime_ns
    assert train().skipped == [run]
    hidden = {path.name for path in [*run.iterdir(), *run.parents[1].iterdir()]}
    assert {name for name in hidden if name.startswith(".")} == {
        *(".lock", ".study.lock", ".mine.moat-7.tmp"),
    }
    assert (run / "run.json").stat().st_mtime_ns == record


def test_what_an_evaluation_has_found_since_is_not_swept(train, results):
    part = results / RUN / ".evaluation" / "f" / "00000-pgd.npz"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"part")
    os.utime(part, (2**31, 2**31))
    assert train().skipped
    assert part.exists()
    assert RunFolder(results / RUN).is_interrupted
