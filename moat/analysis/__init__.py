"""Analyses of trained models: numbers with axes, units and intervals. They draw nothing."""

from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
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
    "transfer",
]
