"""The files of a run and of a study, typed: checked once, on reading.

Unknown keys are kept as they are.
"""

from moat.records.analysis import (
    Analysis,
    AnalysisFinding,
    AnalysisHeader,
    AnalysisSubject,
    NamedArray,
)
from moat.records.bundle_manifest import BundleManifest
from moat.records.checking import check_lines, check_record, require_keys, typed
from moat.records.checks import Check, EvaluationRecord, Verdict
from moat.records.figures import Difference, Figure, Figures, Relationship
from moat.records.gallery import Gallery
from moat.records.log_line import LogLine
from moat.records.partner import OpenTransfer, PartnerRecord
from moat.records.planned_runs import PlannedRuns
from moat.records.plugin_names import evaluation_names, kind_and_name, training_names
from moat.records.protocol import ProtocolRecord, ThreatRecord
from moat.records.published_table import Published
from moat.records.race import RaceRecord
from moat.records.run import ModelRecord, RunRecord, command_of
from moat.records.run_label import label_of, sweep_names
from moat.records.small import Clock, Failure, Manifest
from moat.records.start import StartRecord

__all__ = [
    "Analysis",
    "AnalysisFinding",
    "AnalysisHeader",
    "AnalysisSubject",
    "BundleManifest",
    "Check",
    "Clock",
    "Difference",
    "EvaluationRecord",
    "Failure",
    "Figure",
    "Figures",
    "Gallery",
    "LogLine",
    "Manifest",
    "ModelRecord",
    "NamedArray",
    "OpenTransfer",
    "PartnerRecord",
    "PlannedRuns",
    "ProtocolRecord",
    "Published",
    "RaceRecord",
    "Relationship",
    "RunRecord",
    "StartRecord",
    "ThreatRecord",
    "Verdict",
    "check_lines",
    "check_record",
    "command_of",
    "evaluation_names",
    "kind_and_name",
    "label_of",
    "require_keys",
    "sweep_names",
    "training_names",
    "typed",
]
