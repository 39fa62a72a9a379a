"""A run folder is whole: its model, scores and evaluations need nothing outside of it."""

import json
import shutil
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
import torch

import moat
from moat import consent
from moat.consent import Consent, consenting
from moat.digests import short_hash
from moat.errors import CodeError, ForeignFileError
from moat.report import make_fronts, make_scoreboards, score_runs
from moat.runs import RunFolder
from moat.study import evaluate_run, evaluate_under, plan
from moat.study.loading import plan_of

HELPER = "def darker(x, w):\n    return (1 - w) * x\n"
THREAT = '''
from pydantic import PositiveFloat
from moat.geometry.balls import LinfBall
from moat.threats import GradientThreat, threat
from {helper} import darker

@threat("dim")
class Dim(GradientThreat):
    """Darken the image as a whole."""

    epsilon: PositiveFloat
    step_size: PositiveFloat

    def identity(self, x):
        return (x.new_zeros(len(x), 1, 1, 1),)

    def apply(self, x, w):
        return darker(x, w[0])

    def balls(self, x):
        nothing = x.new_zeros(len(x), 1, 1, 1)
        return (LinfBall(self.epsilon, self.step_size, low=nothing, high=nothing + 1),)
'''
MODEL = '''
from torch import nn
from moat.models import Model, model

@model("{name}")
class Own(Model):
    """A layer."""

    def build(self, shape, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))
'''
NETWORK = """
from torch import nn
from .parts import Flat

def make(hidden):
    return nn.Sequential(Flat(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))
"""
DIM = """
[threats.dim]
epsilon = 0.6
step_size = 0.3
steps = 1
evaluate = { at_steps = [1] }
"""
STRONG = DIM.replace("at_steps = [1]", "at_steps = [2]")


@pytest.fixture(params=["plugin", "callable", "none"])
def kind(request) -> str:
    """How the recipe names its model: by a plug-in, a callable in a package, one of moat's own."""
    return request.param


@pytest.fixture
def origin(kind, tmp_path, monkeypatch, recipe) -> Path:
    """A recipe with a local threat that imports a module beside it, and perhaps a local model."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(home)
    tag = tmp_path.name.replace("-", "_")
    (home / f"helper_{tag}.py").write_text(HELPER, "utf-8")
    (home / "my_threat.py").write_text(THREAT.format(helper=f"helper_{tag}"), "utf-8")
    (home / "my_model.py").write_text(MODEL.format(name=f"own-{tag}"), "utf-8")
    package = home / f"nets_{tag}"
    package.mkdir()
    (package / "__init__.py").write_text("", "utf-8")
    (package / "wide.py").write_text(NETWORK, "utf-8")
    (package / "parts.py").write_text("from torch.nn import Flatten as Flat\n", "utf-8")
    model, plugins = {
        "plugin": (f'"own-{tag}"', ["my_threat.py", "my_model.py"]),
        "callable": (f'"python:{package.name}.wide:make"\nhidden = 4', ["my_threat.py"]),
        "none": ('"tiny-cnn"\nwidth = 4', ["my_threat.py"]),
    }[kind]
    path = recipe('"tiny-cnn"\nwidth = 4', model, more=DIM, name="home/study.toml")
    text = path.read_text("utf-8").replace('threats = ["pgd"]', 'threats = ["dim"]')
    path.write_text(f"plugins = {plugins}\n{text}", "utf-8")
    return path


@pytest.fixture
def carried(origin, train, results, tmp_path, monkeypatch) -> Path:
    """Train a run, then leave nothing of it but a copy of its results; return the copy's folder."""
    result = train(origin, only=("pgd-at",))
    assert not result.failed, result.failed
    there = tmp_path / "elsewhere" / "results"
    shutil.copytree(results, there)
    shutil.rmtree(results)
    shutil.rmtree(origin.parent)
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    for name in [one for one in sys.modules if tmp_path.name.replace("-", "_") in one]:
        del sys.modules[name]
    monkeypatch.setattr(consent, "_consent", type(consent._consent)("consent", default=Consent()))
    return there / "study/pgd-at/seed-0"


def test_a_carried_run_is_read_loaded_and_judged_where_its_code_is_gone(carried, kind, tmp_path):
    weights = RunFolder(carried).load_model()
    if kind == "none":  # what its threats are is no matter
        loaded = moat.load(carried)
    else:
        with pytest.raises(CodeError, match="which does not run unasked") as refused:
            moat.load(carried)
        assert str(carried / "code") in str(refused.value)
        loaded = moat.load(carried, allow_code=True)
    assert all(torch.equal(value, weights[name]) for name, value in loaded.state_dict().items())

    assert make_fronts(carried.parents[1]).fronts
    assert make_scoreboards(carried.parents[1]).boards
    before = score_runs([carried])[0].as_table()

    with consenting(Consent()), pytest.raises(CodeError) as refused:
        evaluate_run(carried, "cpu")
    assert "my_threat.py (helper_" in str(refused.value)
    with consenting(Consent(stored=True)):
        evaluate_run(carried, "cpu")
        assert score_runs([carried])[0].as_table() == before
        strong = tmp_path / "strong.toml"
        plugins = f'plugins = ["{carried / "code" / "my_threat.py"}"]\ncode = "{carried / "code"}"'
        strong.write_text(f'{plugins}\n[data]\ntype = "digits"\n{STRONG}', "utf-8")
        (judged,) = evaluate_under(strong, [carried], device="cpu")
    assert judged.error is None, judged.error
    assert judged.folder == carried.parents[2] / "study@strong/pgd-at/seed-0"


def test_a_run_folder_names_no_path_of_its_machine(carried, tmp_path):
    for file in carried.rglob("*"):
        if file.is_file():
            assert str(tmp_path).encode() not in file.read_bytes(), file


@pytest.mark.parametrize("kind", ["plugin"], indirect=True)
def test_code_that_was_changed_in_a_run_is_told_before_any_runs(carried):
    mark, changed = carried / "mark", carried / "code" / "my_model.py"
    changed.write_text(f"open({str(mark)!r}, 'w')", "utf-8")
    for allowed in (False, True):
        with pytest.raises(ForeignFileError, match="do not belong together") as refused:
            moat.load(carried, allow_code=allowed)
        assert str(changed) in str(refused.value)
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["plugin", "callable"], indirect=True)
@pytest.mark.parametrize("planted", ["beside.py", "torch.py", "pkg/deep.py", "numpy/__init__.py"])
def test_code_that_was_put_into_a_run_is_neither_named_nor_run_nor_packed(
    carried, planted, tmp_path
):
    mark, strange = tmp_path / "mark", carried / "code" / planted
    strange.parent.mkdir(exist_ok=True)
    strange.write_text(f"open({str(mark)!r}, 'w')", "utf-8")
    before, said = RunFolder(carried).read_record(), []
    with consenting(Consent(stored=True, say=said.append)):
        moat.load(carried)
        evaluate_run(carried, "cpu")
    assert "my_threat.py" in said[-1]
    assert not any(planted in line for line in said)
    after = RunFolder(carried).read_record()
    assert before.files.keys() == after.files.keys()
    made = moat.bundle(carried.parents[1], tmp_path / "b.zip")
    assert [str(strange) in line for line in made.left_out] == [True]
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["plugin"], indirect=True)
def test_compiled_code_beside_a_runs_own_is_neither_run_nor_written(carried, tmp_path):
    import importlib.util
    import py_compile

    mark, own = tmp_path / "mark", carried / "code" / "my_model.py"
    other = tmp_path / "other.py"
    other.write_text(f"open({str(mark)!r}, 'w')", "utf-8")
    cached = Path(importlib.util.cache_from_source(str(own)))
    cached.parent.mkdir(exist_ok=True)
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(other), str(cached), invalidation_mode=unchecked)
    before = sorted(carried.rglob("*"))
    moat.load(carried, allow_code=True)
    assert not mark.exists()
    assert sorted(carried.rglob("*")) == before


@pytest.mark.parametrize("kind", ["plugin", "callable"], indirect=True)
def test_two_runs_whose_code_differs_are_loaded_side_by_side(carried, kind, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(carried, other)
    file = next((other / "code").rglob("my_model.py" if kind == "plugin" else "wide.py"))
    text = file.read_text("utf-8")
    file.write_text(text.replace("nn.Linear(64,", "nn.Dropout(0.0), nn.Linear(64,"), "utf-8")
    record = json.loads((other / "run.json").read_text("utf-8"))
    digest = sha256(file.read_bytes()).hexdigest()
    record["files"][file.relative_to(other).as_posix()] = digest
    record["trains"]["model"]["source"] = digest[:16]
    record["train_hash"] = short_hash(record["trains"])
    del record["files"]["model.safetensors"]
    (other / "run.json").write_text(json.dumps(record), "utf-8")
    weights = {
        name.replace("1.", "2.", 1) if name.startswith("1.") else f"{int(name[0]) + 1}{name[1:]}": v
        for name, v in RunFolder(carried).load_model().items()
    }
    RunFolder(other).save_model(weights)
    lengths = [len(moat.load(run, allow_code=True)) for run in (carried, other, carried)]
    assert lengths == [lengths[0], lengths[0] + 1, lengths[0]]


@pytest.mark.parametrize("kind", ["plugin"], indirect=True)
@pytest.mark.parametrize("finished", [True, False])
def test_a_module_that_was_edited_since_is_told_and_nothing_is_lost(
    origin, train, finished, snapshot, results, watch
):
    origin.write_text(origin.read_text("utf-8").replace("epochs = 1", "epochs = 2"), "utf-8")
    listener = watch(dies_at=0 if finished else 8)  # in the second epoch
    with suppress(watch.Killed):
        train(origin, only=("pgd-at",), listener=listener)
    (helper,) = origin.parent.glob("helper_*.py")
    helper.write_text(HELPER + "\n", "utf-8")
    for name in [one for one in sys.modules if one == helper.stem]:
        del sys.modules[name]
    before = snapshot(results / "study/pgd-at")
    (error,) = train(origin, only=("pgd-at",)).failed.values()
    assert error.message.startswith(
        f"the folder contains a run with other training settings: code/{helper.name}: "
    )
    assert "train this run again with --overwrite" in error.hint
    after = snapshot(results / "study/pgd-at")
    assert {name: kept for name, kept in after.items() if "failed" not in name} == before
    assert train(origin, only=("pgd-at",), overwrite=True).done
    kept = RunFolder(results / "study/pgd-at/seed-0").read_code()
    assert kept[helper.name] == helper.read_bytes()


@pytest.mark.parametrize("kind", ["none"], indirect=True)
def test_code_that_judges_alone_may_change_and_is_kept_anew(origin, train, results):
    text = origin.read_text("utf-8").replace('threats = ["dim"]', 'threats = ["pgd"]')
    origin.write_text(text, "utf-8")
    assert train(origin, only=("pgd-at",)).done
    file = origin.parent / "my_threat.py"
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    folder = RunFolder(results / "study/pgd-at/seed-0")
    weights = (folder.path / "model.safetensors").read_bytes()
    assert not train(origin, only=("pgd-at",)).failed
    assert (folder.path / "model.safetensors").read_bytes() == weights
    with consenting(Consent(stored=True)):
        evaluate_run(folder.path, "cpu")


@pytest.mark.parametrize("kind", ["plugin", "callable"], indirect=True)
def test_a_folder_of_an_older_moat_runs_the_code_where_its_recipe_names_it(origin, train, results):
    (run,) = train(origin, only=("pgd-at",)).done
    folder = RunFolder(run)
    (planned,) = plan(origin, only=("pgd-at",))
    folder.write_recipe(planned.document)  # as it was written before code was kept
    record = folder.read_record()
    files = {name: digest for name, digest in record.files.items() if "code/" not in name}
    folder.write_record(record.replace(files=files))
    shutil.rmtree(folder.code)
    assert moat.load(run, allow_code=True) is not None
    assert train(origin, only=("pgd-at",)).skipped == [run]
    with consenting(Consent()), pytest.raises(CodeError) as refused:
        evaluate_run(run, "cpu")
    assert str(origin.parent / "my_threat.py") in str(refused.value)
    with consenting(Consent(stored=True)):
        evaluate_run(run, "cpu")


@pytest.mark.parametrize("kind", ["plugin", "callable"], indirect=True)
def test_a_run_is_trained_again_from_its_own_recipe_where_its_code_is_gone(carried, tmp_path):
    again = moat.train(carried / "recipe.toml", results=tmp_path / "again", device="cpu")
    (run,) = again.done
    assert RunFolder(run).read_code() == RunFolder(carried).read_code()
    one, other = (RunFolder(folder).read_record() for folder in (run, carried))
    assert one.train_hash == other.train_hash
    assert one.files["model.safetensors"] == other.files["model.safetensors"]


@pytest.mark.parametrize("kind", ["plugin"], indirect=True)
def test_a_bundle_is_loaded_with_its_code_where_that_is_allowed(carried, tmp_path):
    moat.bundle(carried.parents[1], tmp_path / "b.zip", weights=True)
    run = tmp_path / "b.zip/pgd-at/seed-0"
    with pytest.raises(CodeError, match=r"b\.zip/study/pgd-at/seed-0/code/my_model\.py"):
        moat.load(run)
    expected = moat.load(carried, allow_code=True).state_dict()
    found = moat.load(run, allow_code=True).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found.items())
    moat.bundle(carried.parents[1], tmp_path / "light.zip")
    assert moat.results(tmp_path / "light.zip").runs.height == 1


def test_data_that_were_not_carried_along_are_looked_for_where_any_are(trained, recipe):
    (run,) = trained(recipe(), "plain")
    folder = RunFolder(run)
    document = folder.read_recipe()
    document["data"] = {"type": "mnist", "root": "../../../nowhere", "train_examples": 100}
    folder.write_recipe(document)
    assert plan_of(folder).dataset.root is None
    document["data"]["root"] = "."
    folder.write_recipe(document)
    assert plan_of(folder).dataset.root == run
