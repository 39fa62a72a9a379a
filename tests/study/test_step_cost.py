"""What a step and an evaluation cost an example, beside what they truly ask of a network."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from moat.data import Split
from moat.evaluation import Protocol, evaluate
from moat.evaluation.model_checks import check_model
from moat.scalarizers import MGDA, Average, BatchMax, Max, Natural, Softmax, Tchebycheff, TwoMoment
from moat.study.step_cost import conflict_per_example, spent_per_example
from moat.threats import MSD, PGD, AutoAttack, Flow, RTGrid, StAdv, spent_by
from moat.training import (
    KL,
    MART,
    LogitPairing,
    StepSettings,
    Training,
    fabric_for,
    train_step,
)
from moat.training.conflict import Conflict
from moat.training.length import Length
from moat.training.step_cost import conflict_cost


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
    "union": MSD(linf_epsilon=0.1, linf_step_size=0.1, l2_epsilon=0.1, l2_step_size=0.1, steps=2),
}
BATCH = torch.rand(6, 1, 8, 8), torch.zeros(6, dtype=torch.long)


LOSSES = {
    "plain": {},
    "natural": {"pgd": KL(), "drawn": MART(), "grid": KL()},
    "across": {"kl": KL(partner="pgd"), "natural": KL(partner="pgd"), "apgd": KL()},
    "among threats": {"pgd": LogitPairing(partner="kl"), "grid": LogitPairing(partner="drawn")},
}


@pytest.mark.parametrize(
    ("threats", "losses"),
    [
        *((("pgd", "kl", "apgd"), losses) for losses in LOSSES),
        *((("drawn", "grid"), losses) for losses in ("plain", "natural", "among threats")),
        (tuple(THREATS), "plain"),
    ],
)
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize(
    "scalarizer",
    [
        *(Natural(), Average(), Average(include_natural=True), Max(), TwoMoment(rho=0.5)),
        *(MGDA(), MGDA(normalize="l2", combine="normalized")),
        *(BatchMax(), Softmax(), Softmax(include_natural=True), Tchebycheff()),
    ],
    ids=lambda scalarizer: str(scalarizer),
)
def test_a_training_step_spends_what_is_counted(threats, scalarizer, batch_norm, losses):
    own = {
        n: loss for n, loss in LOSSES[losses].items() if {n, loss.partner} <= {"natural", *threats}
    }
    chosen, network = {name: THREATS[name] for name in threats}, Counted(batch_norm=batch_norm)
    run = SimpleNamespace(threats=chosen, scalarizer=scalarizer, losses=own, is_point=False)
    search, descent = spent_per_example(run, batch_norm, classes=5)
    optimizer = torch.optim.SGD(network.parameters(), 0.0)
    scalarizer = copy.deepcopy(scalarizer)
    train_step(network, optimizer, chosen, scalarizer, *BATCH, StepSettings(4, loss=own))
    both = search.plus(descent)
    assert (network.forwards, network.backwards) == (6 * both.forwards, 6 * both.backwards)


@pytest.mark.parametrize("losses", LOSSES)
@pytest.mark.parametrize(
    "scalarizer",
    [Natural(), Average(include_natural=True), Max(), MGDA(), BatchMax()],
    ids=lambda scalarizer: str(scalarizer),
)
def test_a_measurement_of_the_conflict_spends_what_is_counted(scalarizer, losses):
    chosen = {name: THREATS[name] for name in ("pgd", "kl", "apgd", "drawn", "grid")}
    own, network = LOSSES[losses], Counted()
    conflict = Conflict(network, fabric_for("cpu", "32-true"), 4, own)
    settings = StepSettings(4, loss=own, observe=conflict.observe)
    optimizer = torch.optim.SGD(network.parameters(), 0.0)
    train_step(network, optimizer, chosen, copy.deepcopy(scalarizer), *BATCH, settings)
    assert conflict.taken()["passes"] == 6 * conflict_cost(chosen, scalarizer, own).total


@pytest.mark.parametrize(("every", "share"), [(None, 0), (2, 0.4), (3, 0.2), (9, 0)])
def test_the_conflict_counts_at_its_share_of_the_steps(every, share):
    """Five steps: none, two, one or none of them are measured."""
    threats = {"pgd": THREATS["pgd"]}
    training = Training(epochs=1, conflict_every=every)
    run = SimpleNamespace(threats=threats, scalarizer=Average(), losses={}, training=training)
    assert conflict_per_example(run, Length(5, 5)) == (2 * share, 2 * share)


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
