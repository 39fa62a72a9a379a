"""Joins recipe, training, evaluation and runs; skips what is done."""

from moat.study.all_runs import StudyResult, plan, train
from moat.study.estimates import RunEstimate, estimate, estimate_all
from moat.study.listener import StudyListener
from moat.study.loading import load
from moat.study.one_run import evaluate_run

__all__ = [
    "RunEstimate",
    "StudyListener",
    "StudyResult",
    "estimate",
    "estimate_all",
    "evaluate_run",
    "load",
    "plan",
    "train",
]
