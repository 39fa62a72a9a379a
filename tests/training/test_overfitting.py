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
