"""One evaluation in its folder: what is written, what is gone on from, what is never replaced."""

import json
import os
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from moat.data import Data, Digits, sample
from moat.digests import short_hash
from moat.errors import RunFolderError
from moat.evaluation import Protocol
from moat.events import ignore
from moat.records import ModelRecord
from moat.runs import RunFolder
from moat.study.judge import judge, scores_before, whole_scores
from moat.study.subjects import Subject
from moat.threats import PGD

MEND = "Name another --results folder"
WEAK = Protocol({"pgd": PGD(epsilon=0.05, step_size=0.05, steps=1)}, examples=20)
STRONG = Protocol({"pgd": PGD(epsilon=0.3, step_size=0.1, steps=5)}, examples=20)


@pytest.fixture(scope="module")
def data():
    return Digits().load()


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return RunFolder(tmp_path / "study" / "model" / "seed-0")


def described(name):
    """Return a protocol as a record has it, told from others by its name alone."""
    return {"threats": {}, "summed": [], "of": name}


def named(protocol):
    """Return the hash of a protocol that is described by a name alone."""
    return short_hash(described(protocol))


@dataclass
class Stated:
    """A protocol that is described by a name alone."""

    protocol: Protocol
    name: str
    memory: float = 4.0

    @property
    def evaluates(self):
        return described(self.name)

    @property
    def protocol_hash(self):
        return named(self.name)


def network(seed=0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def record(weights="w", digest="d"):
    return ModelRecord(
        study="study",
        label="model",
        moat="0.1.0",
        machine={},
        variant="model",
        sweep={},
        seed=0,
        foreign=True,
        trains={"model": {"type": "python:a:b"}},
        weights=weights,
        data={"type": "digits", "digest": digest},
        shape=(1, 8, 8),
        classes=10,
    )


@pytest.fixture
def judged(data, folder):
    """Judge a network in the folder; return its scores."""

    def run(
        protocol=WEAK,
        hash_="weak",
        model=None,
        listener=None,
        into=folder,
        held_out=None,
        record_=None,
        **more,
    ):
        into.path.mkdir(parents=True, exist_ok=True)
        subject = Subject(into, model or network(), record_ or record(**more), held_out=held_out)
        return judge(subject, data, Stated(protocol, hash_), listener or ignore)

    return run


class Crash(BaseException):
    """The process dies: nothing may catch it."""


@pytest.fixture
def dies_at_write(monkeypatch):
    """Let the process die at the nth write from now on, with the file not yet in its place."""

    def arrange(number):
        replace, written = os.replace, []

        def dying(source, target):
            written.append(target)
            if len(written) == number:
                monkeypatch.setattr(os, "replace", replace)
                raise Crash
            replace(source, target)

        monkeypatch.setattr(os, "replace", dying)

    return arrange


# what is written


def test_the_same_scores_stand_in_the_record_beside_the_matrix_and_in_the_answer(judged, folder):
    scores = judged()
    arrays, about = folder.load_evaluation()
    held = folder.read_record()
    plain = json.loads(json.dumps(scores))
    assert about.scores == held.scores == plain
    assert held.protocol.as_table() == described("weak")
    hashes = {str(arrays["protocol_hash"]), about.protocol_hash, held.protocol_hash}
    assert hashes == {named("weak")}
    assert held.label == "model"


def test_the_record_is_written_last(judged, folder, dies_at_write):
    dies_at_write(7)  # natural, pgd, gallery, evaluation.npz and .json, clock.json, run.json
    with pytest.raises(Crash):
        judged()
    assert folder.load_evaluation() is not None
    assert folder.read_record() is None


def test_whoever_listens_hears_of_the_threats_and_then_of_the_gate(judged):
    heard = []

    judged(listener=lambda event: heard.append(event.threat))
    assert list(dict.fromkeys(heard)) == ["natural", "pgd", "sanity gate"]


def test_held_out_examples_are_searched_by_the_same_protocol(judged, data, folder):
    held_out = data.train.take(torch.arange(100, 130))
    judged(held_out=held_out)
    found = folder.load_validation()
    assert found["ids"].tolist() == sample(held_out, 20, 0).ids.tolist()
    assert found["threats"].tolist() == folder.load_evaluation()[0]["threats"].tolist()
    assert str(found["protocol_hash"]) == named("weak")
    only = judge(
        Subject(RunFolder(folder.path.parent / "only"), network(), record()),
        Data(data.train, held_out, data.classes),
        Stated(WEAK, "weak"),
        ignore,
    )
    assert only["natural"] == 100 * found["outcomes"][:, 0].mean()


def test_an_evaluation_without_held_out_examples_leaves_none_of_an_earlier_one(
    judged, data, folder
):
    judged(held_out=data.train.take(torch.arange(30)))
    judged()
    assert folder.load_validation() is None


def test_a_killed_evaluation_of_held_out_examples_goes_on_where_it_was(
    judged, data, folder, dies_at_write, parts_written
):
    held_out = data.train.take(torch.arange(30))
    dies_at_write(4)  # the second part of the held-out examples
    with pytest.raises(Crash):
        judged(held_out=held_out)
    parts_written.clear()
    judged(held_out=held_out)
    assert parts_written == ["00000-pgd.npz"]
    assert len(folder.load_validation()["ids"]) == 20


# what an unfinished evaluation left


@pytest.fixture
def unfinished(judged, dies_at_write):
    """An evaluation by the weak protocol that died with both its parts kept."""
    dies_at_write(3)
    with pytest.raises(Crash):
        judged()


@pytest.fixture
def parts_written(monkeypatch):
    """The names of the parts that an evaluation finds and keeps from now on."""
    written, replace = [], os.replace

    def seen(source, target):
        if str(target).endswith(".npz") and ".evaluation" in target.parts:
            written.append(target.name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", seen)
    return written


def test_the_same_evaluation_goes_on_from_it(unfinished, judged, parts_written):
    judged()
    assert parts_written == []


@pytest.mark.parametrize("what", ["weights", "protocol", "data", "version"])
def test_another_evaluation_does_not(
    unfinished, judged, parts_written, what, data, monkeypatch, tmp_path
):
    more = {"model": network(seed=1)} if what == "weights" else {}
    if what == "protocol":
        more = {"protocol": STRONG, "hash_": "strong"}
    if what == "data":
        monkeypatch.setattr(type(data.test), "digest", lambda split: "another")
    if what == "version":
        monkeypatch.setattr("moat.study.judge.__version__", "0.0.0")
    scores = judged(**more)
    assert parts_written == ["00000-natural.npz", "00000-pgd.npz"]
    assert scores == judged(into=RunFolder(tmp_path / "fresh"), **more)


# what is there already


def before(folder, *, protocol_hash="weak", overwrite=False, **more):
    return scores_before(folder, record(**more), named(protocol_hash), overwrite, MEND)


def test_an_empty_folder_may_be_written(folder):
    assert before(folder) is None


def test_this_very_evaluation_is_found_and_not_made_again_unless_that_is_asked_for(judged, folder):
    scores = judged()
    assert before(folder) == json.loads(json.dumps(scores))
    assert before(folder, overwrite=True) is None
    assert folder.read_record() is not None  # replaced when the new one is whole


def test_of_another_protocol_or_other_data_it_is_made_again(judged, folder):
    judged()
    assert before(folder, protocol_hash="strong") is None
    assert before(folder, digest="other") is None


def test_another_model_is_refused_and_deleted_only_to_be_overwritten(judged, folder):
    judged()
    with pytest.raises(RunFolderError) as refused:
        before(folder, weights="other")
    assert str(refused.value) == (
        f"{folder.path}: the folder holds the evaluation of another model: weights: 'w' → 'other'."
        "\n  Nothing was overwritten. Name another --results folder, or replace it with "
        "--overwrite."
    )
    assert folder.load_evaluation() is not None
    assert before(folder, weights="other", overwrite=True) is None
    assert folder.load_evaluation() is None


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("begun", ["recipe", "checkpoint", "record"])
def test_a_run_that_moat_trains_is_never_replaced(folder, snapshot, begun, overwrite):
    folder.path.mkdir(parents=True)
    if begun == "recipe":
        folder.write_recipe({"data": {}})
    elif begun == "checkpoint":
        folder.save_checkpoint({"step": 1})
    else:
        judged = {"protocol_hash": "weak", "protocol": described("weak"), "scores": {}, "files": {}}
        judged["plugins"] = {}
        about = record()
        trained = {"foreign": False, "train_hash": short_hash(about.trains), "training": {}}
        folder.write_record(about.replace(**trained).judged(**judged))
    there = snapshot(folder.path)
    with pytest.raises(RunFolderError, match="the folder contains a run that moat trained"):
        before(folder, overwrite=overwrite)
    assert snapshot(folder.path) == there


def test_a_broken_record_is_refused_and_deleted_only_to_be_overwritten(judged, folder):
    judged()
    (folder.path / "run.json").write_text("{")
    with pytest.raises(RunFolderError, match="truncated or not moat's"):
        before(folder)
    assert before(folder, overwrite=True) is None
    assert not (folder.path / "run.json").exists()


@pytest.mark.parametrize("name", ["evaluation.npz", "evaluation.json"])
@pytest.mark.parametrize("damage", ["torn", "missing"])
def test_half_an_evaluation_is_none(judged, folder, name, damage):
    judged()
    if damage == "torn":
        (folder.path / name).write_bytes(b"{")
    else:
        (folder.path / name).unlink()
    assert whole_scores(folder, folder.read_record()) is None
    assert before(folder) is None


@pytest.mark.parametrize("number", [5, 6])
def test_a_record_beside_another_protocols_matrix_is_none_either(
    judged, folder, dies_at_write, number
):
    judged()
    dies_at_write(number)  # after the matrix, before or after its scores
    with pytest.raises(Crash):
        judged(STRONG, "strong")
    assert folder.read_record().protocol_hash == named("weak")
    assert before(folder) is None
    scores = judged()
    arrays, _ = folder.load_evaluation()
    assert before(folder) == json.loads(json.dumps(scores))
    assert np.array_equal(arrays["protocol_hash"], named("weak"))


def test_what_another_code_of_the_same_weights_has_found_is_not_gone_on_from(
    judged, unfinished, parts_written
):
    changed = record().replace(trains={"model": {"type": "python:a:b", "source": "newer"}})
    judged(record_=changed)
    assert parts_written == ["00000-natural.npz", "00000-pgd.npz"]
