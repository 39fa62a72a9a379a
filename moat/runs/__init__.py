"""Run folders: their layout, atomic writes, one writer at a time, and their places."""

from moat.kept_code import CODE
from moat.own_files import PLANNED
from moat.runs.absence import require_folder_of, require_results
from moat.runs.agreement import (
    require_found,
    require_one_protocol,
    require_one_result,
    require_one_training,
)
from moat.runs.analyses import AnalysisPartFiles, analysis_files, read_analysis
from moat.runs.bundle import (
    as_typed,
    is_bundle,
    manifest_text,
    opened,
    opened_weights,
    outputs_of,
)
from moat.runs.bundle_checks import why_no_place
from moat.runs.command import command_again, judged_run, kept_command
from moat.runs.finding import (
    CACHE,
    cache_of,
    find_runs,
    find_studies,
    require_own_name,
    unfinished_runs,
)
from moat.runs.folder import FORMAT, RunFolder
from moat.runs.layout import EVENTS_MARK
from moat.runs.model_file import weights_file
from moat.runs.ownership import identity_of, require_own
from moat.runs.parts import EvaluationParts
from moat.runs.places import results_of, seen_from
from moat.runs.stale_start import is_stale
from moat.runs.study_folder import StudyFolder

__all__ = [
    "CACHE",
    "CODE",
    "EVENTS_MARK",
    "FORMAT",
    "PLANNED",
    "AnalysisPartFiles",
    "EvaluationParts",
    "RunFolder",
    "StudyFolder",
    "analysis_files",
    "as_typed",
    "cache_of",
    "command_again",
    "find_runs",
    "find_studies",
    "identity_of",
    "is_bundle",
    "is_stale",
    "judged_run",
    "kept_command",
    "manifest_text",
    "opened",
    "opened_weights",
    "outputs_of",
    "read_analysis",
    "require_folder_of",
    "require_found",
    "require_one_protocol",
    "require_one_result",
    "require_one_training",
    "require_own",
    "require_own_name",
    "require_results",
    "results_of",
    "seen_from",
    "unfinished_runs",
    "weights_file",
    "why_no_place",
]
