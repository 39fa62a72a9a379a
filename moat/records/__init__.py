"""What the files of a run and of a study say, by the kinds of their keys: checked where it is read.

A key that is there is of its kind; which keys must be there depends on who asks. Keys that are not
named here are kept as they are.
"""

from moat.records.bundle_manifest import BundleManifest
from moat.records.checking import check_lines, check_record
from moat.records.figures import Difference, Figure, Figures, Relationship
from moat.records.log_line import LogLine
from moat.records.planned_runs import PlannedRuns
from moat.records.published import Published
from moat.records.run_label import label_of, sweep_names
from moat.records.run_record import RunRecord, command_of

__all__ = [
    "BundleManifest",
    "Difference",
    "Figure",
    "Figures",
    "LogLine",
    "PlannedRuns",
    "Published",
    "Relationship",
    "RunRecord",
    "check_lines",
    "check_record",
    "command_of",
    "label_of",
    "sweep_names",
]
