"""The start of a training: the optimizer's state of another one, and its line of the log."""

import pytest
import torch
from torch import nn

from moat.data import Digits
from moat.errors import TrainingError
from moat.runs import RunFolder
from moat.scalarizers import Natural
from moat.training import SGD, AdamW, Constant, Fit, Training, fabric_for, fit
from moat.training.kept_state import take_state

LR, MOMENTUM = 0.125, 0.5


def trained(folder, optimizer=None, **start):
    """Train a linear network by one step; return its weights and the optimizer's state."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    job = Fit(
        model=model,
        split=Digits().load().train.take(torch.arange(64)),
        threats={},
        scalarizer=Natural(),
        training=Training(epochs=1, batch_size=64),
        optimizer=optimizer or SGD(lr=LR, momentum=MOMENTUM),
        schedule=Constant(),
        seed=0,
        folder=RunFolder(folder),
        fabric=fabric_for("cpu", "32-true"),
        **start,
    )
    folder.mkdir(parents=True, exist_ok=True)
    fit(job)
    return model[1].weight.detach(), RunFolder(folder).load_checkpoint()["optimizer"]


def test_a_kept_state_moves_the_weights_by_its_momentum(tmp_path):
    fresh, state = trained(tmp_path / "fresh")
    kept, _ = trained(tmp_path / "kept", optimizer_state=state)
    buffer = state["state"][0]["momentum_buffer"]
    assert torch.allclose(fresh - kept, LR * MOMENTUM * buffer, atol=1e-7)


def test_a_kept_state_leaves_the_learning_rate_of_the_new_training(tmp_path):
    _, state = trained(tmp_path / "fresh")
    _, now = trained(tmp_path / "kept", SGD(lr=0.25, momentum=MOMENTUM), optimizer_state=state)
    assert now["param_groups"][0]["lr"] == 0.25


@pytest.mark.parametrize("optimizer", [AdamW(lr=0.1), None])
def test_a_state_that_does_not_fit_is_refused(tmp_path, optimizer):
    _, state = trained(tmp_path / "fresh", optimizer)
    if optimizer is None:
        state = {**state, "param_groups": []}
    with pytest.raises(TrainingError) as error:
        trained(tmp_path / "kept", optimizer_state=state)
    assert "the optimizer's state of the start does not fit: " in str(error.value)
    assert 'optimizer = "fresh"' in error.value.hint


def test_the_log_begins_with_the_start_once(tmp_path):
    start = {"place": "study/path/rho=0/seed-0", "weights": "0123456789abcdef"}
    trained(tmp_path / "run", start=start)
    (tmp_path / "run" / "checkpoint.pt").unlink()  # as if it had died in its first epoch
    trained(tmp_path / "run", start=start)
    lines = RunFolder(tmp_path / "run").read_log()
    assert [line["start"] for line in lines if "start" in line] == [start]
    assert lines[0]["step"] == 0


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.Linear(64, 10), nn.Linear(10, 10)], "it belongs to 4 parameters, and this network"),
        ([nn.Linear(63, 10)], r"it has the shape \(10, 63\) for a parameter of \(10, 64\)"),
    ],
)
def test_the_state_of_other_parameters_is_refused(tmp_path, layers, message):
    optimizer = AdamW(lr=0.1).build(nn.Sequential(*layers).parameters())
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    own = AdamW(lr=0.1).build(nn.Linear(64, 10).parameters())
    with pytest.raises(TrainingError, match=message):
        take_state(own, optimizer.state_dict(), tmp_path)
