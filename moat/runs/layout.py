"""The names in a run folder that more than one file of this room knows."""

from moat.runs.code import CODE
from moat.runs.obstacles import Layout

BEGUN = frozenset({"run.json", "log.jsonl", ".holder.json", "failed.json"})
"""Files of which a run that was begun has one at least."""
PARTS = ".evaluation"
"""The folder of an evaluation that is not finished."""
TENSORBOARD = "tensorboard"
WRITTEN = (
    *("run.json", "evaluation.json", "evaluation.npz", "validation.npz", "gallery.npz"),
    *("model.safetensors", "checkpoint.pt", "log.jsonl", "recipe.toml", "failed.json"),
    "clock.json",
)
LAYOUT = Layout((*WRITTEN, ".holder.json"), ".lock", (PARTS, TENSORBOARD, CODE))
