"""Paths that the system cannot look up: refused by name, at every door of Python."""

import errno
import shutil
from pathlib import Path

import pytest

import moat
from moat import data, report, runs, study
from moat.errors import DataError, DiskError, MoatError, ModelError, RunFolderError
from moat.models.weights import read_weights
from moat.paths import files_below, require_path, require_place
from moat.storage import make_folder, write_text

IMPOSSIBLE = {
    "a name of 300 bytes": ("x" * 300, "File name too long"),
    "one within a folder": ("folder/" + "ä" * 200, "File name too long"),
    "a path of 4200 bytes": ("a/" * 2100, "File name too long"),
    "a NUL": ("a\0b", "a name holds a NUL character"),
    "a circle of links": ("circle", "Too many levels of symbolic links"),
    "one within a circle": ("circle/x", "Too many levels of symbolic links"),
    "a shut folder": ("shut/x", "Permission denied"),
}


def lay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay what the impossible paths go through; a shut folder is shut for the superuser, too."""
    (folder / "folder").mkdir()
    (folder / "circle").symlink_to("circle")
    look = Path.stat

    def stat(path: Path, **keys: bool) -> object:
        if "shut" in path.parts[:-1]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path, **keys)

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.chdir(folder)


@pytest.fixture(params=IMPOSSIBLE)
def impossible(request, tmp_path, monkeypatch) -> Path:
    lay(tmp_path, monkeypatch)
    return Path(IMPOSSIBLE[request.param][0])


@pytest.mark.parametrize(("path", "why"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_path_that_cannot_be_looked_up_is_named_with_the_reason(path, why, tmp_path, monkeypatch):
    lay(tmp_path, monkeypatch)
    with pytest.raises(DataError) as refused:
        require_path(Path(path), DataError)
    assert refused.value.message == f"the system cannot look this path up: {why}."
    assert len(refused.value.where) < 210
    assert "\0" not in str(refused.value)
    assert refused.value.hint


def test_a_place_for_results_is_a_folder_or_free(tmp_path):
    (tmp_path / "file").write_text("mine")
    for free in (tmp_path, tmp_path / "a/b"):
        assert require_place(free) == free
    for taken in ("file", "file/below"):
        with pytest.raises(DiskError, match="cannot write: Not a directory"):
            require_place(tmp_path / taken)


DOORS = {
    "results": moat.results,
    "load": moat.load,
    "bundle": lambda path: moat.bundle(path, "out.zip"),
    "bundle to": lambda path: moat.bundle("folder", path),
    "train": moat.train,
    "train to": lambda path: moat.train(SMALL, results=path),
    "evaluate_model": lambda path: moat.evaluate_model("tiny-cnn", path),
    "evaluate_model to": lambda path: moat.evaluate_model("tiny-cnn", SMALL, results=path),
    "evaluate_model of": lambda path: moat.evaluate_model("tiny-cnn", SMALL, checkpoint=path),
    "evaluate_under": lambda path: study.evaluate_under(path, []),
    "trained_runs": lambda path: study.trained_runs([path]),
    "make_fronts": report.make_fronts,
    "make_scoreboards": report.make_scoreboards,
    "make_plots": lambda path: report.make_plots([path]),
    "score_runs": lambda path: report.score_runs([path]),
    "compare_runs": lambda path: report.compare_runs([path, path]),
    "StatusReader": lambda path: report.StatusReader(path).read(),
    "find_runs": runs.find_runs,
    "unfinished_runs": runs.unfinished_runs,
    "read_code": lambda path: runs.RunFolder(path).read_code(),
    "MNIST": lambda path: data.MNIST(root=path).load(),
    "CIFAR10": lambda path: data.CIFAR10(root=path).load(),
    "Caltech256": lambda path: data.Caltech256(root=path).load(),
    "ImageFolder": lambda path: data.ImageFolder(folder="f", root=path).load(),
    "a folder of images": lambda path: data.ImageFolder(
        folder=str(path), root=Path("folder")
    ).load(),
}
SMALL = Path(__file__).parent / "small.toml"


@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_it(door, impossible):
    with pytest.raises(MoatError):
        DOORS[door](impossible)


@pytest.mark.parametrize("write", [make_folder, lambda path: write_text(path / "file", "text")])
def test_what_cannot_be_written_there_is_said_as_of_a_disk(write, tmp_path, monkeypatch):
    for path in ("x" * 300, "a\0b"):
        with pytest.raises(DiskError, match=r"cannot write: (File name too|a name holds a NUL)"):
            write(tmp_path / path)


def test_weights_of_such_a_name_are_refused(impossible):
    with pytest.raises(ModelError, match="the system cannot look this path up"):
        read_weights(impossible / "w.pt" if impossible.name != "x" else impossible)


def test_the_folder_of_data_may_be_named_by_the_environment(impossible, monkeypatch):
    if "\0" in str(impossible):  # no variable holds one
        return
    monkeypatch.setenv("MOAT_DATA", str(impossible))
    for kind in (data.MNIST, data.FashionMNIST, data.CIFAR10, data.Caltech256):
        with pytest.raises(DataError, match="the system cannot look this path up"):
            kind().load()


def test_a_run_folder_of_such_a_name_is_refused(impossible):
    with pytest.raises(RunFolderError), runs.RunFolder(impossible).locked():
        pass


def test_folders_deleted_during_the_search_for_files_are_passed_over(tmp_path):
    for name in ("a/x.txt", "b/y.txt", "z.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = files_below(tmp_path)
    assert next(found) == tmp_path / "z.txt"
    shutil.rmtree(tmp_path / "a")
    assert list(found) == [tmp_path / "b" / "y.txt"]
    assert not list(files_below(tmp_path / "nowhere"))
