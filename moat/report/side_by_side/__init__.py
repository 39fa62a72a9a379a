"""Two finished runs or more, compared key by key and example by example."""

from moat.report.side_by_side.comparison import RunComparison, compare_runs

__all__ = ["RunComparison", "compare_runs"]
