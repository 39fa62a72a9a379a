"""Joins recipe, training, evaluation and runs; skips what is done."""

from moat.study.estimate import RunEstimate, estimate
from moat.study.listener import StudyListener
from moat.study.load import load
from moat.study.run import evaluate_run
from moat.study.study import StudyResult, plan, train

__all__ = [
    "RunEstimate",
    "StudyListener",
    "StudyResult",
    "estimate",
    "evaluate_run",
    "load",
    "plan",
    "train",
]
