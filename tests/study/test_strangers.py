"""A user's files that bear the names of moat's: named before anything is written, and kept."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import moat
from moat.errors import RunFolderError
from moat.runs import RunFolder
from moat.study import evaluate_run

SMALL = Path(__file__).parents[1] / "small.toml"
RUN = Path("study", "plain", "seed-0")
JSON, TEXT = b'{"mine": 1}', b"mine"
ARRAYS = ("evaluation.npz", "validation.npz", "gallery.npz")
MINE = [
    *((name, content) for name in ARRAYS for content in (TEXT, "arrays")),
    *((name, content) for name in ("evaluation.json", "failed.json") for content in (TEXT, JSON)),
    *((name, JSON) for name in ("log.jsonl", "clock.json", ".holder.json")),
    *((name, TEXT) for name in ("recipe.toml", ".lock", ".evaluation/notes.txt", "code/mine.py")),
    ("recipe.toml", SMALL.read_bytes()),
    *(("checkpoint.pt", "arrays"), ("checkpoint.pt", TEXT), ("model.safetensors", "weights")),
]


def write(path: Path, content: bytes | str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    if content == "arrays":
        with path.open("wb") as file:  # numpy would add an ending to the name
            np.savez(file, mine=np.arange(3))
    elif content == "weights":
        safetensors.numpy.save_file({"mine": np.ones(2, np.float32)}, path)
    else:
        path.write_bytes(content)
    return path.read_bytes()


def recipe_in(folder: Path) -> Path:
    (folder / "study.toml").write_text(SMALL.read_text("utf-8").replace("= 40", "= 6"), "utf-8")
    return folder / "study.toml"


def train(folder: Path, **keys: object):
    return moat.train(
        recipe_in(folder), only=["plain"], results=folder / "results", device="cpu", **keys
    )


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(("name", "content"), MINE, ids=lambda case: str(case)[:20])
def test_a_users_file_is_named_before_a_run_begins_and_nothing_else_is_written(
    tmp_path, name, content
):
    run = tmp_path / "results" / RUN
    write(run / name, content)
    before = tree(run)
    (error,) = train(tmp_path).failed.values()
    assert isinstance(error, RunFolderError)
    assert str(run) in error.where
    named = Path(name).parts[0]
    assert named in str(error) or "recipe.toml is missing" in str(error)
    after = tree(run)
    if name != "failed.json":
        del after["failed.json"]  # it says why
    assert after == before


@pytest.mark.parametrize(
    "name", [*ARRAYS, "checkpoint.pt", "model.safetensors", ".evaluation/notes.txt", "code/mine.py"]
)
def test_overwrite_moves_it_aside_and_trains(tmp_path, name):
    run = tmp_path / "results" / RUN
    mine = write(run / name, TEXT)
    assert not train(tmp_path, overwrite=True).failed
    first = Path(name).parts[0]
    assert (run / f"{first}.kept" / Path(name).relative_to(first)).read_bytes() == mine
    assert RunFolder(run).is_done


@pytest.fixture(scope="module")
def finished(shared_folder) -> Path:
    return shared_folder("a run beside a user's files", train)


@pytest.fixture
def run(finished, tmp_path) -> Path:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    return tmp_path / "results" / RUN


def test_a_users_weights_in_an_unfinished_run_stay(run, tmp_path):
    (run / "run.json").unlink()
    mine = write(run / "model.safetensors", "weights")
    (error,) = train(tmp_path).failed.values()
    assert error.where == str(run / "model.safetensors")
    assert error.message == (
        "cannot write: a file that is damaged or not moat's is in the place of moat's own."
    )
    assert (run / "model.safetensors").read_bytes() == mine
    (run / "model.safetensors").unlink()
    assert not train(tmp_path).failed


def test_a_users_file_beside_a_finished_run_stays_when_it_is_evaluated_again(run):
    mine = write(run / "validation.npz", "arrays")  # this run holds nothing out
    with pytest.raises(RunFolderError, match=r"validation\.npz: cannot write: a file that is"):
        evaluate_run(run, "cpu")
    assert (run / "validation.npz").read_bytes() == mine


@pytest.mark.parametrize(
    "name", ["00007-pgd.npz", ".00007-pgd.npz.moat-7.tmp", ".00007-a.npz.7.tmp"]
)
def test_what_a_killed_evaluation_left_is_not_a_users(run, tmp_path, name):
    (run / "run.json").unlink()
    write(run / ".evaluation" / "f" / name, TEXT)
    assert not train(tmp_path).failed
    assert not (run / ".evaluation").exists()


def test_notes_below_the_parts_of_a_finished_run_stay(run, tmp_path):
    write(run / ".evaluation" / "notes.txt", TEXT)
    assert train(tmp_path).skipped
    folder = RunFolder(run)
    assert not folder.is_interrupted
    folder.evaluation_parts("f").save(0, "pgd", {"a": np.zeros(1)})
    assert folder.is_interrupted
    folder.clear_parts()
    assert tree(run / ".evaluation") == {"notes.txt": TEXT}


@pytest.mark.parametrize("left", ["run.json", "evaluation.json", "evaluation.npz"])
def test_what_moat_left_itself_is_taken_up(run, tmp_path, left):
    for name in ("run.json", left):
        (run / name).unlink(missing_ok=True)
    expected = (run / "evaluation.npz").read_bytes() if left != "evaluation.npz" else None
    assert not train(tmp_path).failed
    assert expected in (None, (run / "evaluation.npz").read_bytes())


def test_a_temporary_file_of_an_editor_stays(run, tmp_path):
    write(run / ".run.json.12345.tmp", TEXT)
    write(run / ".run.json.moat-12345.tmp", TEXT)
    assert train(tmp_path).skipped
    assert [p.name for p in run.glob(".run.json*.tmp")] == [".run.json.12345.tmp"]
