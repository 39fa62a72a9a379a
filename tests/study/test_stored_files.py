"""Each file of an unfinished run, damaged or another run's: the same end, or a refusal by name."""

import json
import os
import shutil
from pathlib import Path

import pytest

import moat
from moat.errors import RunFolderError
from moat.events import Event, Listener, TrainingStep, ignore
from moat.runs import RunFolder

ONE, OTHER = Path("study", "plain", "seed-0"), Path("study", "pgd-at", "seed-0")
SMALL = Path(__file__).parents[1] / "small.toml"
TRAINING = ("checkpoint.pt", "log.jsonl", "recipe.toml")
JUDGED = (
    *(*TRAINING, "model.safetensors", "evaluation.npz", "evaluation.json", "validation.npz"),
    *("gallery.npz", "clock.json"),
)
PARTS = [
    f"{below}00000-{label}.npz"
    for below in ("", "validation/")
    for label in ("natural", "pgd", "flow")
]
FILES = [
    *(("training", name) for name in TRAINING),
    *(("judged", name) for name in (*JUDGED, *PARTS)),
]


class Killed(BaseException):
    """The process dies: nothing may catch it."""


def dies(event: Event) -> None:
    """End the process in the second epoch."""
    if isinstance(event, TrainingStep) and event.epoch == 2:
        raise Killed


def recipe_in(folder: Path) -> Path:
    text = SMALL.read_text("utf-8").replace("epochs = 1", "epochs = 2")
    text = text.replace("[model]", "validation = 0.01\n[model]").replace("= 40", "= 6")
    (folder / "study.toml").write_text(text, "utf-8")
    return folder / "study.toml"


def train(results: Path, recipe: Path, variant: str, listener: Listener = ignore):
    return moat.train(recipe, only=[variant], results=results, device="cpu", listener=listener)


@pytest.fixture(scope="module")
def stages(shared_folder) -> Path:
    """Two runs, each killed in training, killed before its record was written, and finished."""

    def fill(folder: Path) -> None:
        recipe, replace = recipe_in(folder), os.replace

        def dying(source, target):
            if Path(target).name == "run.json":
                raise Killed
            replace(source, target)

        for variant in ("plain", "pgd-at"):
            with pytest.raises(Killed):
                train(folder / "training", recipe, variant, dies)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "replace", dying)
                with pytest.raises(Killed):
                    train(folder / "judged", recipe, variant)
            train(folder / "whole", recipe, variant)

    return shared_folder("every stage of a run", fill)


@pytest.fixture
def lay(stages, tmp_path):
    def copied(stage: str) -> tuple[Path, Path]:
        results = tmp_path / "results"
        shutil.copytree(stages / stage, results)
        return results, stages / "study.toml"

    return copied


def place(run: Path, name: str) -> Path:
    """Return where a file of a run lies; a part, below its fingerprint."""
    if name not in PARTS:
        return run / name
    (folder,) = (run / ".evaluation").iterdir()
    return folder / name


def flip(path: Path, at: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(at * (len(content) - 1))] ^= 4
    path.write_bytes(bytes(content))


def outcome(folder: Path) -> dict[str, object]:
    """Return what a finished run came to; how long it took is no part of it."""
    record = json.loads((folder / "run.json").read_text("utf-8"))
    assert RunFolder(folder).load_evaluation()
    return {key: record[key] for key in ("files", "scores", "train_hash", "protocol_hash")}


def same_or_refused(results: Path, recipe: Path, stages: Path) -> bool:
    """Train the one run on; say whether it ended, and not in a refusal."""
    done = train(results, recipe, "plain")
    for folder, error in done.failed.items():
        assert isinstance(error, RunFolderError), error
        assert error.where.startswith(str(folder)), error
        assert error.hint, error
    for folder in done.done:
        assert outcome(folder) == outcome(stages / "whole" / ONE)
    return bool(done.done)


def test_every_file_of_an_unfinished_run_is_among_those_that_are_damaged(stages):
    for stage in ("training", "judged"):
        run = stages / stage / ONE
        found = {path for path in run.rglob("*") if path.is_file() and path.name != ".lock"}
        assert found == {place(run, name) for of, name in FILES if of == stage}


@pytest.mark.parametrize(("stage", "name"), FILES)
def test_a_run_with_one_flipped_bit_ends_as_it_would_have_or_is_refused(lay, stages, stage, name):
    results, recipe = lay(stage)
    flip(place(results / ONE, name), 0.4)
    assert same_or_refused(results, recipe, stages) or name not in PARTS


@pytest.mark.parametrize(("stage", "name"), FILES)
def test_a_run_with_another_runs_file_ends_as_it_would_have_or_is_refused(lay, stages, stage, name):
    results, recipe = lay(stage)
    shutil.copy(place(results / OTHER, name), place(results / ONE, name))
    assert same_or_refused(results, recipe, stages) or name not in PARTS


@pytest.mark.parametrize("there", PARTS)
@pytest.mark.parametrize("name", PARTS[1:3])
def test_no_part_of_an_evaluation_is_taken_for_another(stages, tmp_path, name, there):
    """Else the accuracy against one threat would be told as that against another."""
    run = tmp_path / "run"
    shutil.copytree(stages / "judged" / ONE, run)
    shutil.copy(place(run, name), place(run, there)) if name != there else None
    parts = RunFolder(run).evaluation_parts(place(run, PARTS[0]).parent.name)
    below = parts.validation() if "/" in there else parts
    label = Path(there).stem.partition("-")[2]
    assert (below.load(0, label) is None) == (name != there)


def test_a_damaged_checkpoint_is_refused_by_name_with_its_mend(lay):
    results, recipe = lay("training")
    path = results / ONE / "checkpoint.pt"
    whole = path.read_bytes()
    for at in (0.1, 0.5, 0.9, 0.995):
        path.write_bytes(whole)
        flip(path, at)
        (error,) = train(results, recipe, "plain").failed.values()
        assert error.where == str(path)
        assert error.message.startswith("the file is truncated or not moat's (ValueError: its ")
        assert error.hint.startswith("Delete it, or take it from a copy: without it the run begins")
