"""Algorithm 1 and the loop around it."""

from moat.randomness import seed_globally
from moat.training.descent import Descent
from moat.training.devices import InPrecision, device_for, fabric_for
from moat.training.guard import check_trainable
from moat.training.job import Fit, Fitted
from moat.training.loop import fit
from moat.training.losses import (
    DLR,
    KL,
    MART,
    CrossEntropy,
    LogitPairing,
    Margin,
    PairLoss,
    TrainingLoss,
)
from moat.training.optimizers import SGD, AdamW, Optimizer
from moat.training.overfitting import Overfitting
from moat.training.own_step import Step
from moat.training.schedules import Constant, Cosine, MultiStep, Schedule
from moat.training.settings import Training
from moat.training.step import train_step
from moat.training.step_settings import StepSettings

__all__ = [
    "DLR",
    "KL",
    "MART",
    "SGD",
    "AdamW",
    "Constant",
    "Cosine",
    "CrossEntropy",
    "Descent",
    "Fit",
    "Fitted",
    "InPrecision",
    "LogitPairing",
    "Margin",
    "MultiStep",
    "Optimizer",
    "Overfitting",
    "PairLoss",
    "Schedule",
    "Step",
    "StepSettings",
    "Training",
    "TrainingLoss",
    "check_trainable",
    "device_for",
    "fabric_for",
    "fit",
    "seed_globally",
    "train_step",
]
