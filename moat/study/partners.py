"""The run on whose model the gate finds images to transfer, chosen from the plan alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moat.recipe import RunPlan


def partners_of(whole: Sequence[RunPlan]) -> dict[Path, RunPlan | None]:
    """Return the partner of each run of a recipe, by its folder; None without another run.

    Of the runs with the same test data, those of another variant come first, since runs of one
    variant share their mistakes. Then come the runs trained against the most threats, since images
    found on a model trained without threats hardly threaten a robust one. Then the recipe's order
    decides.
    """
    data = {plan.path: plan.test_data for plan in whole}

    def partner_of(plan: RunPlan) -> RunPlan | None:
        others = [
            one for one in whole if one.path != plan.path and data[one.path] == data[plan.path]
        ]
        return min(
            others, key=lambda one: (one.variant == plan.variant, -len(one.threats)), default=None
        )

    return {plan.path: partner_of(plan) for plan in whole}


def partner_record(partner: RunPlan | None) -> dict[str, Any]:
    """Return the entry of a run's record for its partner: its place in the study, and its name."""
    if partner is None:
        return {"partner": None}
    run = partner.path.relative_to(partner.study).as_posix()
    return {"partner": {"run": run, "label": partner.label, "seed": partner.seed}}
