"""Joins recipe, training, evaluation and runs; skips what is done."""

from moat.study.all_runs import StudyResult, plan, train
from moat.study.estimates import RunEstimate, estimate, estimate_all
from moat.study.finished_runs import evaluate_runs, trained_runs
from moat.study.foreign import evaluate_model
from moat.study.judge import Judged
from moat.study.loading import load
from moat.study.one_run import evaluate_run
from moat.study.other_protocol import evaluate_under
from moat.study.tensorboard import TensorBoard

__all__ = [
    "Judged",
    "RunEstimate",
    "StudyResult",
    "TensorBoard",
    "estimate",
    "estimate_all",
    "evaluate_model",
    "evaluate_run",
    "evaluate_runs",
    "evaluate_under",
    "load",
    "plan",
    "train",
    "trained_runs",
]
