"""The study: joins recipe, training, evaluation and runs; skips finished runs."""

from moat.study.all_runs import StudyResult, plan, train
from moat.study.estimates import RunEstimate, estimate, estimate_all
from moat.study.in_memory import evaluate
from moat.study.judge import Judged
from moat.study.looks import oddities_of_estimates
from moat.study.model_loading import load
from moat.study.network_points import point_runs
from moat.study.new_point import evaluate_points
from moat.study.other_protocol import evaluate_under
from moat.study.own_protocol import evaluate_run, evaluate_runs
from moat.study.races import race
from moat.study.run_list import trained_runs
from moat.study.tensorboard import TensorBoard
from moat.study.user_model import evaluate_model

__all__ = [
    "Judged",
    "RunEstimate",
    "StudyResult",
    "TensorBoard",
    "estimate",
    "estimate_all",
    "evaluate",
    "evaluate_model",
    "evaluate_points",
    "evaluate_run",
    "evaluate_runs",
    "evaluate_under",
    "load",
    "oddities_of_estimates",
    "plan",
    "point_runs",
    "race",
    "train",
    "trained_runs",
]
