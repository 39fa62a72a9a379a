"""Algorithm 1 and the loop around it."""

from moat.training.descent import Descent
from moat.training.devices import InPrecision, device_for, fabric_for
from moat.training.guard import check_trainable
from moat.training.job import Fit, Fitted
from moat.training.listener import TrainingListener
from moat.training.loop import fit
from moat.training.optimizers import SGD, AdamW, Optimizer
from moat.training.randomness import seed_globally
from moat.training.schedules import Constant, Cosine, MultiStep, Schedule
from moat.training.settings import Training
from moat.training.step import train_step

__all__ = [
    "SGD",
    "AdamW",
    "Constant",
    "Cosine",
    "Descent",
    "Fit",
    "Fitted",
    "InPrecision",
    "MultiStep",
    "Optimizer",
    "Schedule",
    "Training",
    "TrainingListener",
    "check_trainable",
    "device_for",
    "fabric_for",
    "fit",
    "seed_globally",
    "train_step",
]
