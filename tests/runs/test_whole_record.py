"""A record that moat writes today has all its keys and finite numbers; older ones are read too."""

import json
import shutil
from pathlib import Path

import pytest

from moat.errors import RunFolderError
from moat.runs import RunFolder

ALWAYS = ("study", "variant", "sweep", "seed", "label", "trains", "data", "shape", "classes")
ALWAYS += ("protocol_hash", "protocol")
TODAY = ("moat", "train_hash", "training", "machine", "scores")


@pytest.fixture
def run(golden, tmp_path) -> RunFolder:
    source = golden / "digits_pareto/max-at/seed-1"
    return RunFolder(shutil.copytree(source, tmp_path / "run"))


def changed(run: RunFolder, change) -> Path:
    path = run.path / "run.json"
    table = json.loads(path.read_text("utf-8"))
    change(table)
    path.write_text(json.dumps(table), "utf-8")
    return path


@pytest.mark.parametrize("key", [*ALWAYS, *TODAY])
def test_a_key_that_is_missing_is_named_with_its_file(run, key):
    path = changed(run, lambda table: table.pop(key))
    with pytest.raises(RunFolderError) as refused:
        run.read_record()
    assert str(refused.value) == (
        f"{path}: its record is not moat's: {key} is missing.\n  Put the key back, or a copy of "
        "the file; `moat train --overwrite` trains it again."
    )


def test_a_key_that_is_misspelt_is_shown(run):
    changed(run, lambda table: table.update(machin=table.pop("machine")))
    with pytest.raises(RunFolderError, match="machine is missing, but 'machin' is there"):
        run.read_record()


def test_a_record_of_a_time_before_there_were_digests_is_read(run):
    changed(run, lambda table: [table.pop(key) for key in (*TODAY, "files")])
    assert run.read_record() is not None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    ("file", "keys"),
    [
        ("run.json", ["training", "seconds"]),
        ("run.json", ["scores", "natural"]),
        ("run.json", ["trains", "optimizer", "lr"]),
        ("run.json", ["seed"]),
        ("evaluation.json", ["scores", "natural"]),
    ],
)
def test_a_number_that_is_not_finite_is_refused_by_file_and_key(run, file, keys, number):
    path = run.path / file
    table = json.loads(path.read_text("utf-8"))
    inner = table
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = number
    path.write_text(json.dumps(table), "utf-8")
    read = run.read_record if file == "run.json" else run.load_evaluation
    with pytest.raises(RunFolderError) as refused:
        read()
    assert str(refused.value).startswith(
        f"{path}: the file is truncated or not moat's ({'.'.join(keys)}: a number is finite, not "
    )
