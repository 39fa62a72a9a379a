"""What `moat evaluate --dry-run` counts: passes, images, time, memory, and what is there."""

import json
from pathlib import Path

import pytest

from moat import study
from moat.events import ignore
from moat.study import plan
from moat.study.evaluation_estimates import estimate_model, estimate_runs, estimate_under


@pytest.fixture
def run(recipe, trained):
    (folder,) = trained(recipe(), "plain")
    return folder


@pytest.fixture
def protocol(recipe):
    return recipe("at_steps = [1, 2]", "at_steps = [3]", name="other.toml")


def files(folder):
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")}


def test_runs_again_cost_their_own_protocol(run, results):
    before = files(results)
    (one,), looks = estimate_runs([run], "cpu", ignore)
    assert (one.label, one.state, str(one.spent), one.examples) == ("plain", "again", "6/3", 40)
    assert one.seconds > 0
    assert one.memory > 0
    assert looks == []
    assert files(results) == before


def test_another_protocol_costs_its_own_passes_and_names_the_folder(run, results, protocol):
    before = files(results)
    (one,), looks = estimate_under(protocol, [run], device="cpu")
    assert (one.state, str(one.spent), one.examples) == ("to make", "7/4", 40)
    assert one.folder == results / "study@other" / "plain" / "seed-0"
    assert looks == []
    assert files(results) == before


def test_what_is_there_is_said(recipe, run, protocol):
    (own,), _ = estimate_under(recipe(), [run], device="cpu")
    assert (own.state, own.folder) == ("there", run)
    (judged,) = study.evaluate_under(protocol, [run], device="cpu")
    assert not judged.error
    (one,), _ = estimate_under(protocol, [run], device="cpu")
    assert (one.state, one.folder) == ("there", judged.folder)
    (one,), _ = estimate_under(protocol, [run], device="cpu", overwrite=True)
    assert one.state == "again"
    (judged.folder / "evaluation.npz").unlink()
    (one,), _ = estimate_under(protocol, [run], device="cpu")
    assert one.state == "again"


def test_a_run_that_would_be_refused_is_said_and_the_others_are_priced(run, recipe):
    path = recipe('"digits"', '"digits"\nsize = 16', name="wide.toml")
    record = json.loads((run / "run.json").read_text())
    (one,), looks = estimate_under(path, [run], device="cpu")
    assert (one.label, one.state, one.seconds) == ("plain", "refused", None)
    assert "the run was tested on other data than the protocol's" in str(one.missing)
    assert looks == []
    (run / "run.json").unlink()
    (one,), _ = estimate_under(path, [run], device="cpu")
    assert (one.label, one.state) == ("plain/seed-0", "refused")
    assert record["shape"] == [1, 8, 8]


def test_without_data_a_run_is_priced_as_far_as_it_is_known(run, monkeypatch):
    from moat.data import Digits
    from moat.errors import DataError

    def gone(self, cache=None):
        raise DataError("the images are gone.", hint="Bring them back.")

    monkeypatch.setattr(Digits, "load", gone)
    (one,), looks = estimate_runs([run], "cpu", ignore)
    assert (one.state, one.examples) == ("again", 40)
    assert one.seconds > 0
    assert str(looks[0]).endswith("data: the images are gone. Bring them back.")


def test_held_out_examples_are_counted_where_they_are_asked_for(recipe, trained, protocol):
    (run,) = trained(recipe("[model]", "validation = 0.1\n[model]"), "plain")
    (one,), _ = estimate_under(protocol, [run], device="cpu")
    (both,), _ = estimate_under(protocol, [run], device="cpu", validation=True)
    assert (one.examples, both.examples) == (40, 80)


def test_any_model_is_priced_with_and_without_data(run, protocol, tmp_path):
    keys = {"checkpoint": run / "model.safetensors", "arguments": ["width=4"], "device": "cpu"}
    (one,), looks = estimate_model("tiny-cnn", protocol, **keys, results=tmp_path / "new")
    assert (one.label, one.state, str(one.spent)) == ("tiny-cnn-model", "to make", "7/4")
    assert one.folder == tmp_path / "new" / "other" / "tiny-cnn-model" / "seed-0"
    assert one.seconds > 0
    assert looks == []
    text = protocol.read_text("utf-8").replace('"digits"', '"mnist"\nroot = "nowhere"')
    protocol.write_text(text, "utf-8")
    (one,), looks = estimate_model("tiny-cnn", protocol, **keys, results=tmp_path / "new")
    assert (str(one.spent), one.examples, one.seconds) == ("7/4", 40, None)
    assert "no readable MNIST" in str(looks[0])
    assert not (tmp_path / "new").exists()


def test_a_protocol_is_worth_a_second_look_too(run, protocol):
    _, looks = estimate_under(protocol, [run], overrides=["threats.pgd.epsilon=8"], device="cpu")
    assert str(looks[0]).startswith("--set threats.pgd.epsilon=8, threats.pgd.epsilon: the radius")


def test_the_price_is_that_of_the_evaluation(run, recipe):
    (one,), _ = estimate_runs([run], "cpu", ignore)
    (planned,) = plan(recipe(), only=["plain"])
    assert one.spent == planned.protocol.spent()
