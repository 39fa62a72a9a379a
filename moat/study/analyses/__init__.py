"""Analyses of runs and models by name: they load, search, keep finished parts, report progress."""

from moat.study.analyses.conflict import conflict_of
from moat.study.analyses.examples import adversarial_examples_of
from moat.study.analyses.folder import Complete, analyses_folder, complete_analysis
from moat.study.analyses.frequency import frequency_of
from moat.study.analyses.inputs import AnalysisInputs, AnalysisRequest, analysis_inputs
from moat.study.analyses.instruments import InstrumentSettings, instrument_of
from moat.study.analyses.transfer import transfer_of
from moat.study.analyses.trends import overfitting_of, relationship_of

__all__ = [
    "AnalysisInputs",
    "AnalysisRequest",
    "Complete",
    "InstrumentSettings",
    "adversarial_examples_of",
    "analyses_folder",
    "analysis_inputs",
    "complete_analysis",
    "conflict_of",
    "frequency_of",
    "instrument_of",
    "overfitting_of",
    "relationship_of",
    "transfer_of",
]
