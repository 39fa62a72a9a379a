"""Catastrophic overfitting: provoked, found, ended; and a sound training that goes unreported."""

import pytest
import torch
from torch import nn

from moat.data import Digits
from moat.events import LogEntry, Note
from moat.runs import RunFolder
from moat.scalarizers import Average
from moat.threats import PGD
from moat.training import AdamW, Constant, Fit, Overfitting, Training, fabric_for, fit
from moat.training.overfitting import Accuracies, has_overfitted


@pytest.fixture(scope="module")
def digits():
    return Digits(size=16).load().train.take(torch.arange(1200))


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(512, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def trained(folder, digits, epsilon, epochs, **watch):
    """Train against one step from the image; return the result, the looks and the notes."""
    events = []
    job = Fit(
        model=network(),
        split=digits,
        threats={"pgd": PGD(epsilon=epsilon, step_size=epsilon, steps=1)},
        scalarizer=Average(),
        training=Training(
            epochs=epochs, batch_size=64, overfitting=Overfitting(examples=128, every=24, **watch)
        ),
        optimizer=AdamW(lr=2e-3),
        schedule=Constant(),
        seed=0,
        folder=RunFolder(folder),
        fabric=fabric_for("cpu", "32-true"),
    )
    fitted = fit(job, events.append)
    lines = [event.record for event in events if isinstance(event, LogEntry)]
    looks = [line["overfitting"]["pgd"] for line in lines if "overfitting" in line]
    return fitted, looks, [event.text for event in events if isinstance(event, Note)]


def test_one_large_step_overfits_and_the_run_reports_it(tmp_path, digits):
    fitted, looks, notes = trained(tmp_path, digits, epsilon=0.3, epochs=12, switch=5)
    alarm = fitted.overfitting["pgd"]
    assert looks[-1] == {"own": round(alarm["own"], 2), "more": round(alarm["more"], 2)}
    assert alarm["own"] > 25
    assert alarm["more"] < 5
    (note,) = notes
    assert note.startswith("training.overfitting: catastrophic overfitting to the search of 'pgd'")
    assert note.endswith("it takes at least 5 steps.")
    log = RunFolder(tmp_path).read_log()
    assert [line["step"] for line in log if "alarm" in line] == [alarm["step"]]
    one_step = 4 * 12 + len(looks) * 24 * 128 / len(digits)  # passes without the switch
    later = (fitted.steps - alarm["step"]) * 64 / len(digits)  # epochs
    assert fitted.passes == pytest.approx(one_step + 8 * later, abs=0.2)


def test_one_small_step_does_not_overfit(tmp_path, digits):
    fitted, looks, notes = trained(tmp_path, digits, epsilon=0.1, epochs=6)
    assert fitted.overfitting == {}
    assert not notes
    assert looks[-1]["more"] > 45


@pytest.mark.parametrize(
    ("own", "more", "overfitted"),
    [
        (97.0, 8.0, True),
        (60.0, 32.0, True),  # by exactly the points
        (60.0, 33.0, False),
        (59.0, 8.0, False),  # both fall
        (76.0, 47.0, True),  # one rises, the other falls by a quarter of the points
        (90.0, 48.0, False),  # which noise may do
        (90.0, 52.0, False),
    ],
)
def test_it_is_that_one_accuracy_falls_while_the_other_does_not(own, more, overfitted):
    highest = Accuracies(own=60.0, more=52.0)
    assert has_overfitted(highest, Accuracies(own, more), apart=20.0) is overfitted
