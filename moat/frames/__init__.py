"""Results as data: finished runs in, polars frames, fronts and figures out."""

from moat.frames.results import Results, results

__all__ = ["Results", "results"]
