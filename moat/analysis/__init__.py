"""Analyses of trained models: numbers with axes, units and intervals. They draw nothing."""

from moat.analysis.conflict import conflict
from moat.analysis.overfitting import overfitting
from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
from moat.analysis.relationship import relationship
from moat.analysis.transfer import transfer
from moat.records import Analysis, AnalysisFinding, AnalysisSubject, NamedArray

__all__ = [
    "Analysis",
    "AnalysisFinding",
    "AnalysisParts",
    "AnalysisProgress",
    "AnalysisSubject",
    "AnalysisWork",
    "NamedArray",
    "conflict",
    "overfitting",
    "relationship",
    "transfer",
]
