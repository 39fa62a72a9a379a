"""The names in a run folder that several files of this room use."""

from moat.kept_code import CODE
from moat.own_files import RUN_FILES
from moat.runs.obstacles import Layout
from moat.runs.parts import PARTS

BEGUN = frozenset({"run.json", "log.jsonl", ".holder.json", "failed.json"})
"""Files of which a run that was begun has one at least."""
TENSORBOARD = "tensorboard"
EVENTS_MARK = ".moat"
"""The end of the names of moat's own event files: others in that folder are a user's."""
LAYOUT = Layout((*RUN_FILES, ".holder.json"), ".lock", (PARTS, TENSORBOARD, CODE))
