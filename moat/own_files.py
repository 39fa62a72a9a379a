"""The names of moat's own files in studies and runs, which no study or variant may have."""

import re
import shlex
import unicodedata

RUN_FILES = (
    *("run.json", "evaluation.json", "evaluation.npz", "validation.npz", "gallery.npz"),
    *("model.safetensors", "checkpoint.pt", "log.jsonl", "recipe.toml", "failed.json"),
    *("clock.json", "conditioned.safetensors"),
)
"""The files in a run's folder, by whose names runs are found at any depth."""
PLANNED = "study.json"
"""The file in a study's folder that lists its planned runs."""
FIGURES = "figures"
"""The folder in a study's own where its pictures go."""
ANALYSES = "analysis"
"""The folder in a study's or a run's own where its analyses go."""
PAGE = "report.html"
"""The usual name of a study's page."""
TABLES = {
    "front": ("csv", "json", "png", "svg"),
    "report": ("md", "csv"),
    "against": ("md", "csv"),
    "compare": ("md", "csv", "json"),
    "compare-examples": ("csv",),
    "race": ("json", "csv", "md", "png", "svg"),
}
"""The endings of each table; several of one name are numbered, as in front-2.csv."""
PICTURES = (
    *("front", "pairs", "parallel", "radar", "training", "strengths", "cost"),
    *("relationship", "difference"),
)
"""The kinds of pictures, which are numbered as tables are."""
PICTURE_ENDINGS = ("png", "svg")

_ALONE = {*RUN_FILES, PLANNED, FIGURES, ANALYSES, PAGE}
_NUMBERED = re.compile(
    "|".join(
        rf"{re.escape(name)}(-\d+)?\.({'|'.join(endings)})"
        for name, endings in [*TABLES.items(), *((kind, PICTURE_ENDINGS) for kind in PICTURES)]
    )
)


def is_taken(name: str) -> bool:
    """Say whether a folder of this name would stand where moat writes a file, on any system.

    Example:
        >>> is_taken("Study.json"), is_taken("front-2.csv"), is_taken("front")
        (True, True, False)
    """
    plain = unicodedata.normalize("NFC", name).casefold()
    return plain in _ALONE or _NUMBERED.fullmatch(plain) is not None


def mend_of_file(name: str, folder: str) -> str:
    """Return how a file of a run that is cut or damaged is made again, the mildest way first.

    Example:
        >>> mend_of_file("evaluation.npz", "results/s/pgd-at/seed-0")
        '`moat evaluate results/s/pgd-at/seed-0` makes it again, without training.'
    """
    anew = "`moat train` with --overwrite trains this run again."
    if name in ("evaluation.npz", "evaluation.json", "gallery.npz", "validation.npz"):
        return f"`moat evaluate {shlex.quote(folder)}` makes it again, without training."
    if name in _AGAIN:
        return f"{_AGAIN[name]}\nWithout either, {anew}"
    if name == "checkpoint.pt":
        return f"Delete it, or take it from a copy: without it the run begins anew.\n{anew}"
    return "Delete it, or train this run again with --overwrite."


_AGAIN = {
    "run.json": "Delete it: `moat train` makes it again from the weights or the checkpoint beside "
    "it.",
    "model.safetensors": "Delete it, and run.json beside it: `moat train` goes on from "
    "checkpoint.pt, or take it from a copy.",
    "conditioned.safetensors": "Delete it, with run.json and model.safetensors beside it: `moat "
    "train` makes it again from checkpoint.pt, or take it from a copy.",
}
