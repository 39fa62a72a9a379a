"""What a trained model withstands: a protocol run against it, an example at a time."""

from moat.evaluation.evaluator import Evaluation, EvaluationProgress, Parts, evaluate
from moat.evaluation.gallery import Gallery, make_gallery
from moat.evaluation.protocol import Protocol

__all__ = [
    "Evaluation",
    "EvaluationProgress",
    "Gallery",
    "Parts",
    "Protocol",
    "evaluate",
    "make_gallery",
]
