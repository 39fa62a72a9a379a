"""Somebody else's model, judged beside moat's runs."""

import sys

import pytest
import torch
from torch import nn

from moat.errors import MoatError, ModelError, RunFolderError
from moat.report import make_fronts
from moat.runs import RunFolder
from moat.study import evaluate_model

NETS = """
from torch import nn


def net(width=4, last=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, last))


class Wrapped(nn.Module):
    def __init__(self, wrap):
        super().__init__()
        self.net, self.wrap = net(), wrap

    def forward(self, x):
        return self.wrap(self.net, x)


def probabilities():
    return Wrapped(lambda net, x: net(x).softmax(1))


def drawing():
    return Wrapped(lambda net, x: net(nn.functional.dropout(x, 0.5, training=True)))


def in_place():
    return Wrapped(lambda net, x: net(x.sub_(0.5)))


def several():
    return Wrapped(lambda net, x: (net(x),))


def infinite():
    return Wrapped(lambda net, x: net(x) * float("nan"))
"""


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A module somebody else wrote, and a checkpoint of its network."""
    (tmp_path / "their_nets.py").write_text(NETS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "their_nets", raising=False)
    torch.manual_seed(0)
    import their_nets

    torch.save(their_nets.net().state_dict(), tmp_path / "theirs.pt")
    return their_nets


@pytest.fixture
def judge(nets, recipe, results, tmp_path, monkeypatch):
    """Judge a model of that module by the small study's protocol."""
    monkeypatch.chdir(tmp_path)

    def judge(net="net", **more):
        more = {"results": results, "device": "cpu", **more}
        return evaluate_model(f"python:their_nets:{net}", recipe(), **more)

    return judge


def test_its_outcomes_and_its_record_lie_in_a_folder_of_its_name(judge, results, tmp_path):
    judged = judge(checkpoint=tmp_path / "theirs.pt")
    assert judged.folder == results / "study" / "net-theirs" / "seed-0"
    folder = RunFolder(judged.folder)
    record = folder.read_record()
    assert record.label == "net-theirs"
    assert record.scores["union"] == judged.scores["union"]
    arrays, about = folder.load_evaluation()
    assert arrays["outcomes"].shape == (40, 1 + 2 + 1)
    assert str(arrays["protocol_hash"]) == record.protocol_hash == about.protocol_hash
    assert {check.name for check in about.sanity} >= {"loss", "transfer"}


def test_it_joins_a_front_with_runs_of_the_study(judge, recipe, trained, results, tmp_path):
    trained(recipe(), "plain", "pgd-at")
    judge(checkpoint=tmp_path / "theirs.pt")
    (front,) = make_fronts(results).fronts
    assert {setting.first.label for setting in front.settings} == {"plain", "pgd-at", "net-theirs"}


def test_the_weights_of_the_checkpoint_are_those_that_are_judged(judge, nets, tmp_path):
    torch.manual_seed(1)
    other = nets.net()
    with torch.no_grad():  # one answer to everything
        other[3].weight.zero_()
        other[3].bias.copy_(5 * torch.eye(10)[3])
    torch.save({"state_dict": {f"module.{k}": v for k, v in other.state_dict().items()}}, "c.pth")
    judged = judge(checkpoint=tmp_path / "theirs.pt")
    constant = judge(checkpoint="c.pth")
    arrays, _ = RunFolder(constant.folder).load_evaluation()
    assert (arrays["outcomes"] == arrays["outcomes"][:, :1]).all()  # nothing can fell it
    assert constant.scores != judged.scores


def test_what_is_there_is_not_made_again_and_another_model_is_refused(judge, nets, tmp_path):
    first = judge(checkpoint=tmp_path / "theirs.pt", name="theirs")
    again = judge(checkpoint=tmp_path / "theirs.pt", name="theirs")
    assert (first.before, again.before) == (False, True)
    assert first.scores["scores"] == again.scores["scores"]
    torch.save(nets.net().state_dict(), tmp_path / "other.pt")
    with pytest.raises(RunFolderError, match="holds the evaluation of another model"):
        judge(checkpoint=tmp_path / "other.pt", name="theirs")
    assert not judge(checkpoint=tmp_path / "other.pt", name="theirs", overwrite=True).before


def test_a_network_that_is_built_is_judged_as_it_is(nets, recipe, results):
    network = nets.net()
    judged = evaluate_model(network, recipe(), name="mine", results=results, device="cpu")
    assert judged.folder == results / "study" / "mine" / "seed-0"
    with pytest.raises(MoatError, match="takes neither a checkpoint nor arguments"):
        evaluate_model(network, recipe(), name="mine", arguments=["width=3"], results=results)


def test_a_folder_of_a_run_that_moat_trained_is_never_touched(judge, recipe, train, tmp_path):
    (run,) = train(recipe(), only=("plain",)).done
    before = (run / "evaluation.npz").read_bytes()
    with pytest.raises(RunFolderError, match="the folder contains a run that moat trained"):
        judge(checkpoint=tmp_path / "theirs.pt", name="plain", overwrite=True)
    assert (run / "evaluation.npz").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("probabilities", "returns probabilities"),
        ("drawing", "answers at random"),
        ("in_place", "changes its input images"),
        ("several", "returns a tuple, not a tensor"),
    ],
)
def test_a_model_that_cannot_be_judged_is_refused_by_name(judge, results, name, found):
    with pytest.raises(MoatError) as refused:
        judge(name)
    assert str(refused.value).startswith(f"model python:their_nets:{name}: the model {found}")
    assert refused.value.hint
    assert not list(results.rglob("run.json"))


def test_a_wrong_number_of_classes_is_refused(judge):
    with pytest.raises(
        ModelError, match="returns 7 logits for each image, but the data have 10 classes"
    ):
        judge(arguments=["last=7"])


def test_logits_that_are_not_finite_withstand_nothing_and_the_gate_fails(judge):
    judged = judge("infinite")
    assert judged.scores["natural"] == judged.scores["union"] == 0
    _, about = RunFolder(judged.folder).load_evaluation()
    failed = {check.name for check in about.sanity if check.verdict == "fail"}
    assert {"logits", "gradients"} <= failed


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda state: state.pop("1.bias"), "1 key missing: 1.bias"),
        (lambda state: state.update({"1.bias": torch.zeros(3)}), "1 of another shape: 1.bias"),
        (lambda state: state.update(more=torch.zeros(3)), "1 foreign: more"),
        (lambda state: state.update({"1.bias": state["1.bias"].int()}), "of another kind: 1.bias"),
        (lambda state: state.update({"1.bias": state["1.bias"] + 0j}), "of another kind: 1.bias"),
    ],
    ids=["missing", "shape", "foreign", "integers", "complex"],
)
def test_a_checkpoint_of_another_network_is_refused_with_its_keys(judge, nets, change, found):
    state = nets.net().state_dict()
    change(state)
    torch.save(state, "other.pt")
    with pytest.raises(ModelError) as refused:
        judge(checkpoint="other.pt")
    assert str(refused.value).startswith("checkpoint other.pt: its weights do not fit the model: ")
    assert found in str(refused.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_checkpoint_of_a_training_that_diverged_is_refused(judge, nets, value):
    state = nets.net().state_dict()
    state["1.bias"][2] = value
    torch.save(state, "broken.pt")
    with pytest.raises(ModelError) as refused:
        judge(checkpoint="broken.pt")
    assert str(refused.value).startswith(
        "checkpoint broken.pt: its weights are not finite: 1.bias."
    )
    assert "earlier checkpoint" in refused.value.hint


def test_a_checkpoint_of_numbers_for_names_is_refused(judge, nets):
    torch.save({**nets.net().state_dict(), 1: torch.ones(1)}, "numbered.pt")
    with pytest.raises(ModelError, match="holds no state dict: names with a tensor each"):
        judge(checkpoint="numbered.pt")


def test_a_checkpoint_of_sparse_weights_is_that_of_the_dense_ones(judge, nets):
    state = nets.net().state_dict()
    for name, file in (("dense", torch.Tensor.clone), ("sparse", torch.Tensor.to_sparse)):
        torch.save({key: file(value) for key, value in state.items()}, f"{name}.pt")
    dense, sparse = (judge(checkpoint=f"{name}.pt").scores for name in ("dense", "sparse"))
    assert dense == sparse


def test_a_whole_network_in_a_file_is_not_run(judge, nets):
    torch.save(nets.net(), "whole.pt")
    with pytest.raises(ModelError, match=r"holds no plain tensors.*could run any code"):
        judge(checkpoint="whole.pt")
    assert isinstance(nets.net(), nn.Module)


def test_a_name_that_is_no_folder_is_refused(judge):
    with pytest.raises(MoatError, match="--name: a name starts with a letter or a digit"):
        judge(name="../elsewhere")


def test_networks_of_the_same_weights_that_differ_in_a_number_are_two(nets, recipe, results):
    class Scaled(nn.Module):
        def __init__(self, inner, scale):
            super().__init__()
            self.inner, self.scale = inner, scale

        def forward(self, x):
            return self.inner(self.scale * x)

    network = nets.net()
    evaluate_model(Scaled(network, 1.0), recipe(), name="given", results=results)
    with pytest.raises(MoatError, match="the folder holds the evaluation of another model"):
        evaluate_model(Scaled(network, 0.2), recipe(), name="given", results=results)
    assert evaluate_model(Scaled(network, 1.0), recipe(), name="given", results=results).before


@pytest.mark.parametrize("name", ["CON", "nul.txt", "a.", ""])
def test_a_name_that_other_systems_refuse_is_refused(judge, name):
    with pytest.raises(MoatError) as caught:
        judge(name=name)
    assert caught.value.where == "--name"


def test_results_lie_in_the_folder_results_unless_one_is_named(nets, recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    judged = evaluate_model(nets.net(), recipe(), name="mine", device="cpu")
    assert (tmp_path / judged.folder).is_relative_to(tmp_path / "results" / "study" / "mine")


def test_a_network_that_is_built_needs_a_name():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    with pytest.raises(MoatError) as refused:
        evaluate_model(network, "recipes/protocols/digits.toml")
    assert refused.value.where == "name"
    assert 'name="mine"' in refused.value.hint
