"""The look at a start before the training: each unusable one is found, and nothing is trained."""

import json
from pathlib import Path

import pytest
import torch

from moat import study
from moat.data import Digits
from moat.models import FiLM, TinyCNN, built
from moat.names import NATURAL
from moat.runs import RunFolder
from moat.study.start_look import StartLook
from moat.training import SGD

SMALL = Path(__file__).parents[1] / "small.toml"
HEAD = SMALL.read_text("utf-8").partition("[[variant]]")[0]


@pytest.fixture(scope="module")
def digits():
    return Digits().load()


@pytest.fixture
def run(tmp_path):
    """Lay down the weights and the optimizer's state of a run that was never trained."""
    folder = tmp_path / "run"
    folder.mkdir()
    network = built(TinyCNN(width=4), (1, 8, 8), 10)
    RunFolder(folder).save_model(network.state_dict())
    optimizer = SGD(lr=0.5).build(network.parameters())
    RunFolder(folder).save_checkpoint({"optimizer": optimizer.state_dict()})
    conditioned = FiLM(network, (NATURAL, "pgd"), 32)
    RunFolder(folder).save_conditioned(conditioned.state_dict(), "0123456789abcdef")
    torch.save({"w": torch.ones(2)}, folder / "other.pth")
    torch.save(
        {name: value * float("nan") for name, value in network.state_dict().items()},
        folder / "nan.pth",
    )
    (tmp_path / "study.toml").write_text(HEAD, "utf-8")
    return folder


@pytest.fixture
def fault(run, tmp_path, digits):
    """Look at the start of a study's one run; return the message and the mend, or nothing."""

    def look(place, *overrides, optimizer="fresh"):
        start = f'{{ weights = {json.dumps(place)}, optimizer = "{optimizer}" }}'
        file = tmp_path / "on.toml"
        lines = f'[[variant]]\nname = "on"\nthreats = ["pgd"]\nstart = {start}\n'
        file.write_text(HEAD + lines, "utf-8")
        found = StartLook().fault(study.plan(file, overrides=overrides)[0], digits)
        return None if found is None else f"{found.message} {found.hint}"

    return look


CONDITIONED = "variant.on.conditioned={ at = [0, 1] }"
USABLE = {
    "a run": ("run", [], "fresh"),
    "its file": ("run/model.safetensors", [], "fresh"),
    "its state": ("run", [], "kept"),
    "another rate and schedule": ("run", ["optimizer.lr=0.1", "schedule=cosine"], "kept"),
    "a conditioned network": ("run", [CONDITIONED], "fresh"),
}


@pytest.mark.parametrize("case", USABLE)
def test_a_usable_start_is_not_mentioned(fault, case):
    place, overrides, optimizer = USABLE[case]
    assert fault(place, *overrides, optimizer=optimizer) is None


UNUSABLE = {
    "nothing": ("rum", [], "fresh", "the folder does not exist. Did you mean"),
    "a recipe": ("study.toml", [], "fresh", "this is a recipe; a results folder is needed"),
    "other tensors": ("run/other.pth", [], "fresh", "do not fit the network: "),
    "weights that are not finite": ("run/nan.pth", [], "fresh", "are not finite: 0.weight"),
    "a network of another width": ("run", ["model.width=6"], "fresh", "of another shape"),
    "a conditioned network's file": (
        "run/conditioned.safetensors",
        [],
        "fresh",
        "Name the folder of a run beside it",
    ),
    "the state of a file": ("run/model.safetensors", [], "kept", "a file of weights has none"),
    "the state of another optimizer": (
        "run",
        ['optimizer={ type = "adamw", lr = 0.1 }'],
        "kept",
        "another kind of optimizer",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_start_is_found_before_any_training(fault, case):
    place, overrides, optimizer, message = UNUSABLE[case]
    assert message in fault(place, *overrides, optimizer=optimizer)


def test_a_text_that_is_not_weights_is_refused_without_a_parser_s_own_words(fault, tmp_path):
    (tmp_path / "notes.pth").write_text("seeds = [0, 1]\n[data]\n", "utf-8")
    found = fault("notes.pth")
    assert "cannot be read as weights" in found or "holds no plain tensors" in found
    assert "pop from" not in found
