"""The sanity gate: whether an evaluation's numbers can be believed."""

from moat.evaluation.sanity.examine import Other, examine, examine_transfer, no_transfer
from moat.evaluation.sanity.questions import Check, Verdict

__all__ = ["Check", "Other", "Verdict", "examine", "examine_transfer", "no_transfer"]
