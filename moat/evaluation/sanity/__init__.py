"""The sanity gate: the credibility of an evaluation's numbers."""

from moat.evaluation.sanity.examine import Other, examine, examine_transfer, no_transfer
from moat.records import Check, Verdict

__all__ = ["Check", "Other", "Verdict", "examine", "examine_transfer", "no_transfer"]
