"""A study on image files: decoded once, resumed, evaluated again, and refused when they change."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moat import study
from moat.errors import RunFolderError

RECIPE = """
[data]
type = "image-folder"
folder = "pictures"
root = "."
size = 12
resize = 16
validation = 0.25
test_share = 0.5

[augmentation]
resized_crop = [0.5, 1.0]
flip = true

[model]
type = "tiny-cnn"
width = 2

[training]
epochs = 1
batch_size = 8
keep = "best"

[optimizer]
type = "sgd"
lr = 0.01

[threats.rt]
epsilon = 0.1
step_size = 0.05
train = { steps = 1 }
evaluate = { at_steps = [1, 2] }

[[variant]]
name = "natural"
scalarizer = "natural"

[[variant]]
name = "rt-at"
threats = ["rt"]
"""


def write_pictures(folder: Path) -> None:
    draw = np.random.default_rng(0)
    for category in ("cat", "dog"):
        (folder / category).mkdir(parents=True)
        for number in range(16):
            pixels = draw.integers(0, 256, (20, 18 + number, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / category / f"{number}.png")


@pytest.fixture
def recipe(tmp_path):
    write_pictures(tmp_path / "pictures")
    path = tmp_path / "pictures.toml"
    path.write_text(RECIPE)
    return path


def test_it_runs_from_files_to_scores_and_decodes_them_once_for_all_of_it(
    recipe, tmp_path, monkeypatch
):
    results = tmp_path / "results"
    done = study.train(recipe, results=results)
    assert not done.failed
    assert len(done.done) == 2
    (cached,) = (results / ".cache").glob("images-*")
    record = json.loads((done.done[0] / "run.json").read_text())
    assert record["shape"] == [3, 12, 12]
    assert record["trains"]["augmentation"] == {"flip": True, "resized_crop": [0.5, 1.0]}

    def refuse(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr("moat.data.decoding.square", refuse)
    assert len(study.train(recipe, results=results).skipped) == 2
    again = study.evaluate_run(done.done[1])
    assert (
        again["natural"] == json.loads((done.done[1] / "run.json").read_text())["scores"]["natural"]
    )
    assert cached.exists()


def test_another_crop_is_another_training_and_more_memory_is_not(recipe, tmp_path):
    results = tmp_path / "results"
    study.train(recipe, results=results, only=["natural"])
    recipe.write_text(RECIPE.replace("size = 12", "memory = 0.000001\nsize = 12", 1))
    assert study.train(recipe, results=results, only=["natural"]).skipped
    recipe.write_text(RECIPE.replace("flip = true", ""))
    (failure,) = study.train(recipe, results=results, only=["natural"]).failed.values()
    assert "augmentation.flip: True → absent" in str(failure)


def test_a_run_is_not_evaluated_again_on_other_test_images(recipe, tmp_path):
    (folder,) = study.train(recipe, results=tmp_path / "results", only=["natural"]).done
    for path in (tmp_path / "pictures" / "dog").iterdir():
        Image.new("RGB", (20, 20)).save(path)
    with pytest.raises(RunFolderError) as raised:
        study.evaluate_run(folder)
    assert raised.value.message.startswith("the test images differ from those of this run: digest ")
    assert raised.value.where == str(folder)


def test_the_dry_run_decodes_into_the_cache_that_training_then_finds(recipe, tmp_path):
    cache = tmp_path / "results" / ".cache"
    estimates = study.estimate_all(study.plan(recipe), cache=cache)
    assert [(e.train_examples, e.test_examples) for e in estimates] == [(12, 16)] * 2
    assert len(list(cache.glob("images-*"))) == 1
    study.train(recipe, results=tmp_path / "results", only=["natural"])
    assert len(list(cache.glob("images-*"))) == 1
