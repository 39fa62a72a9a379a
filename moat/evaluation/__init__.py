"""The evaluation of a trained model under a protocol, with an outcome for each example."""

from moat.evaluation.evaluator import Evaluation, Parts, evaluate
from moat.evaluation.gallery import make_gallery
from moat.evaluation.progress import EvaluationProgress
from moat.evaluation.protocol import Protocol
from moat.records import Gallery

__all__ = [
    "Evaluation",
    "EvaluationProgress",
    "Gallery",
    "Parts",
    "Protocol",
    "evaluate",
    "make_gallery",
]
