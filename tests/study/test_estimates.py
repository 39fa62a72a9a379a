import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from moat.data import Split
from moat.errors import DataError, ModelError
from moat.evaluation import Protocol, evaluate
from moat.evaluation.model_checks import check_model
from moat.scalarizers import MGDA, Average, Max, Natural, TwoMoment
from moat.study import estimate_all, plan
from moat.study.estimates import DESCENT, spent_per_example, work_of
from moat.threats import PGD, AutoAttack, Flow, RTGrid, StAdv, spent_by
from moat.training import StepSettings, train_step

SCALARIZERS = """
[[variant]]
name = "max"
threats = ["pgd", "flow"]
scalarizer = "max"

[[variant]]
name = "with natural"
threats = ["pgd", "flow"]
scalarizer = { type = "average", include_natural = true }

[[variant]]
name = "mgda"
threats = ["pgd", "flow"]
scalarizer = "mgda"

[[variant]]
name = "natural with threats"
threats = ["pgd", "flow"]
scalarizer = "natural"
"""


def test_passes_are_counted_as_each_scalarizer_plans_them(recipe):
    path = recipe("train = { steps = 1 }", "train = { steps = 5 }")
    more = SCALARIZERS.replace("with natural", "with-natural").replace(" with threats", "-threats")
    path.write_text(path.read_text("utf-8") + more, "utf-8")
    found = {e.plan.label: (str(e.search), str(e.descent)) for e in estimate_all(plan(path), "cpu")}
    assert found == {
        "plain": ("0", "1"),
        "pgd-at": ("1", "1"),
        "pareto r=0.5": ("6", "3"),
        "pareto r=1.0": ("6", "3"),
        "max": ("6", "3/1"),
        "with-natural": ("6", "3"),
        "mgda": ("6", "3"),
        "natural-threats": ("0", "1"),
    }


class Counted(nn.Module):
    """A network that nothing fells, and that counts the examples of its forwards and backwards."""

    def __init__(self, *, batch_norm: bool = False) -> None:
        super().__init__()
        norm = nn.BatchNorm2d(1) if batch_norm else nn.Identity()
        self.layers = nn.Sequential(norm, nn.Flatten(), nn.Linear(64, 5))
        nn.init.normal_(self.layers[-1].weight, std=1e-4)
        self.forwards = self.backwards = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = self.layers(x) + 5 * torch.eye(5)[0]
        self.forwards += len(x)
        if logits.requires_grad:
            logits.register_hook(self._count)
        return logits

    def _count(self, slope: torch.Tensor) -> None:
        self.backwards += len(slope)


THREATS = {
    "pgd": PGD(epsilon=0.1, step_size=0.1, steps=3),
    "kl": PGD(epsilon=0.1, step_size=0.1, steps=2, loss="kl", start="noise"),
    "apgd": PGD(epsilon=0.1, steps=4, search="apgd", start="uniform"),
    "aimed": PGD(epsilon=0.1, step_size=0.1, steps=2, loss="targeted-dlr"),
    "drawn": Flow(epsilon=0.1, search="random", steps=3),
    "grid": RTGrid(rotations=2, translations=2),
    "drawn-grid": RTGrid(worst_of=5),
    "smooth": StAdv(step_size=0.01, steps=2),
}
BATCH = torch.rand(6, 1, 8, 8), torch.zeros(6, dtype=torch.long)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("threats", [("pgd", "kl", "apgd"), ("drawn", "grid"), tuple(THREATS)])
@pytest.mark.parametrize(
    "scalarizer",
    [
        *(Natural(), Average(), Average(include_natural=True), Max(), TwoMoment(rho=0.5)),
        *(MGDA(), MGDA(normalize="l2", combine="normalized")),
    ],
    ids=lambda scalarizer: str(scalarizer),
)
def test_a_training_step_spends_what_is_counted(threats, scalarizer, batch_norm):
    chosen, network = {name: THREATS[name] for name in threats}, Counted(batch_norm=batch_norm)
    run = SimpleNamespace(threats=chosen, scalarizer=scalarizer)
    search, descent = spent_per_example(run, batch_norm, classes=5)
    optimizer = torch.optim.SGD(network.parameters(), 0.0)
    scalarizer = copy.deepcopy(scalarizer)
    train_step(network, optimizer, chosen, scalarizer, *BATCH, StepSettings(4))
    both = search.plus(descent)
    assert (network.forwards, network.backwards) == (6 * both.forwards, 6 * both.backwards)


@pytest.mark.parametrize("falls", ["last", "any"])
@pytest.mark.parametrize("label", THREATS)
def test_an_evaluation_spends_what_is_counted(label, falls):
    images = (255 * BATCH[0]).byte()
    split, network = Split(images, BATCH[1], torch.arange(6)), Counted()
    again = {label: 2} if label in ("kl", "apgd", "aimed", "drawn", "drawn-grid") else {}
    protocol = Protocol({label: THREATS[label]}, restarts=again, falls=falls)
    evaluate(network, split, protocol)
    checks = Counted()
    check_model(checks, images.float() / 255, None)
    counted = protocol.spent(classes=5)
    assert network.forwards - checks.forwards == 6 * counted.forwards
    assert network.backwards - checks.backwards == 6 * counted.backwards


SEVERAL = {
    "pgd": PGD(epsilon=0.05, step_size=0.02, steps=3, start="uniform"),
    "apgd": PGD(epsilon=0.05, steps=4, search="apgd"),
}


@pytest.mark.parametrize(
    "asked",
    [
        {"restarts": {"pgd": 2}, "falls": "any", "union_only": True},
        {"at_epsilon": {"pgd": (0.01, 0.05)}, "restarts": {"pgd": 3}},
        {"at_steps": {"pgd": (1, 2, 5)}},
        {"ensembles": {"both": ("pgd", "apgd")}, "falls": "any"},
    ],
    ids=lambda asked: "-".join(asked),
)
def test_an_evaluation_of_several_threats_spends_what_is_counted(asked):
    images = (255 * BATCH[0]).byte()
    protocol = Protocol({**SEVERAL, "grid": THREATS["grid"]}, **asked)
    network, checks = Counted(), Counted()
    evaluate(network, Split(images, BATCH[1], torch.arange(6)), protocol)
    check_model(checks, images.float() / 255, None)
    counted = protocol.spent(classes=5)
    assert network.forwards - checks.forwards == 6 * counted.forwards
    assert network.backwards - checks.backwards == 6 * counted.backwards


@pytest.mark.parametrize("norm", ["linf", "l1"])
def test_autoattack_spends_about_what_is_counted(norm):
    network = Counted()
    threat = AutoAttack(epsilon=1e-3, norm=norm, steps=30, queries=40)
    threat.perturb(network, *BATCH)
    counted = spent_by(threat, classes=5)
    assert 6 * counted.forwards == pytest.approx(network.forwards, rel=0.1)
    assert 6 * counted.backwards == pytest.approx(network.backwards, rel=0.1)


def test_an_evaluation_costs_its_largest_counts_on_the_examples_it_looks_at(recipe):
    (one,) = estimate_all(plan(recipe(), only=("plain",)), "cpu")
    assert (str(one.evaluation), one.test_examples) == ("6/3", 40)
    (one,) = estimate_all(plan(recipe("examples = 40", "seed = 0"), only=("plain",)), "cpu")
    assert one.test_examples == 359


def test_what_is_held_out_is_not_trained_on(recipe):
    (one,) = estimate_all(plan(recipe(), only=("plain",), overrides=["data.validation=0.1"]), "cpu")
    assert one.train_examples == pytest.approx(0.9 * 1438, abs=10)


def test_a_longer_study_takes_longer(recipe):
    path = recipe("[0.5, 1.0]", '[0.5], "training.epochs" = [1, 100]')
    short, long = estimate_all(plan(path, only=("pareto",)), "cpu")
    assert 0 < short.seconds < long.seconds


def test_nothing_is_made(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = recipe()
    estimate_all(plan(path), "cpu")
    assert list(tmp_path.iterdir()) == [path]


# what a trial of a study finds out before it is trained


def test_missing_data_is_found(recipe, tmp_path):
    path = recipe('"digits"', '"mnist"\nroot = "nowhere"')
    with pytest.raises(DataError) as refused:
        estimate_all(plan(path), "cpu")
    where = f"{path}, data: no readable MNIST in {str(tmp_path / 'nowhere')!r}"
    assert str(refused.value).startswith(where)


def test_a_model_that_does_not_fit_is_found(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"small-cnn"')
    with pytest.raises(ModelError, match=r"study\.toml, model: the model 'small-cnn' needs"):
        estimate_all(plan(path), "cpu")


def test_a_model_of_ones_own_that_fails_is_found(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Linear"\nin_features = 3')
    with pytest.raises(ModelError, match="missing 1 required positional argument: 'out_features'"):
        estimate_all(plan(path), "cpu")
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Conv2d"\nin_channels = 3\n')
    path.write_text(
        path.read_text("utf-8").replace(
            "in_channels = 3", "in_channels = 3\nout_channels = 3\nkernel_size = 3"
        ),
        "utf-8",
    )
    with pytest.raises(ModelError) as refused:
        estimate_all(plan(path), "cpu")
    said = f"{path}, model: the model cannot be run on float32 images of the shape (8, 1, 8, 8) ("
    assert str(refused.value).startswith(f"{said}RuntimeError: Given groups=1")


def test_a_share_that_leaves_nothing_is_found(recipe):
    path = recipe("[model]", "validation = 0.999\n[model]")
    with pytest.raises(DataError, match=r"study\.toml, data: class 0 has 142 training example"):
        estimate_all(plan(path), "cpu")


# the passes of a run's parts


def test_work_counts_training_validation_evaluation_and_gate(recipe):
    whole = recipe()
    (one,) = plan(whole, only=("pgd-at",))
    (held,) = plan(whole, only=("pgd-at",), overrides=("data.validation=0.1", "training.epochs=3"))
    data = one.dataset.load()
    work, more = work_of(one, data), work_of(held, data)
    trained = len(one.share.of(data.train)[0])
    search, descent = spent_per_example(one, classes=len(data.classes))
    each = search.passes + DESCENT * descent.passes
    assert work.training == one.training.epochs * trained * each
    assert work.validation == 0
    judged = min(one.protocol.examples or len(data.test), len(data.test))
    each = 1 / 3 + sum(map(one.protocol.cost, one.protocol.threats))
    assert work.evaluation == pytest.approx(judged * each)
    assert work.gate > 0
    assert more.validation > 0
    assert more.evaluation > work.evaluation
    assert more.parts == 2 * work.parts
