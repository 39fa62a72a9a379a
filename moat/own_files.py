"""What moat calls its own files in the folders of studies and runs: no study or variant is so."""

import re
import unicodedata

RUN_FILES = (
    *("run.json", "evaluation.json", "evaluation.npz", "validation.npz", "gallery.npz"),
    *("model.safetensors", "checkpoint.pt", "log.jsonl", "recipe.toml", "failed.json"),
    "clock.json",
)
"""The files in a run's folder; who looks for runs looks for these names at any depth."""
PLANNED = "study.json"
"""The file in a study's folder that lists its planned runs."""
FIGURES = "figures"
"""The folder in a study's own where its pictures go."""
PAGE = "report.html"
"""What a study's page is usually called."""
TABLES = {
    "front": ("csv", "json", "png", "svg"),
    "report": ("md", "csv"),
    "against": ("md", "csv"),
    "compare": ("md", "csv", "json"),
    "compare-examples": ("csv",),
}
"""The endings of each table; several of one name are numbered, as in front-2.csv."""
PICTURES = (
    *("front", "pairs", "parallel", "radar", "training", "strengths"),
    *("relationship", "difference"),
)
"""The kinds of pictures, which are numbered as tables are."""
PICTURE_ENDINGS = ("png", "svg")

_ALONE = {*RUN_FILES, PLANNED, FIGURES, PAGE}
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
