"""The names in a run folder that more than one file of this room knows."""

from moat.own_files import RUN_FILES
from moat.runs.code import CODE
from moat.runs.obstacles import Layout
from moat.runs.parts import PARTS

BEGUN = frozenset({"run.json", "log.jsonl", ".holder.json", "failed.json"})
"""Files of which a run that was begun has one at least."""
TENSORBOARD = "tensorboard"
LAYOUT = Layout((*RUN_FILES, ".holder.json"), ".lock", (PARTS, TENSORBOARD, CODE))
