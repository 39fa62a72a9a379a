"""Run folders: their layout, atomic writes, one writer at a time, and where they lie."""

from moat.runs.finding import CACHE, cache_of, find_runs, unfinished_runs
from moat.runs.folder import FORMAT, RunFolder
from moat.runs.parts import EvaluationParts

__all__ = [
    "CACHE",
    "FORMAT",
    "EvaluationParts",
    "RunFolder",
    "cache_of",
    "find_runs",
    "unfinished_runs",
]
