"""Analyses of runs and models by name: they load, search, keep finished parts, report progress."""

from moat.study.analyses.folder import Complete, analyses_folder, complete_analysis
from moat.study.analyses.inputs import AnalysisInputs, AnalysisRequest, analysis_inputs
from moat.study.analyses.transfer import transfer_of

__all__ = [
    "AnalysisInputs",
    "AnalysisRequest",
    "Complete",
    "analyses_folder",
    "analysis_inputs",
    "complete_analysis",
    "transfer_of",
]
