"""The run on whose model the gate finds images for another, chosen from the plan alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moat.recipe import RunPlan


def partners_of(whole: Sequence[RunPlan]) -> dict[Path, RunPlan | None]:
    """Return the partner of each run of a recipe, by its folder, None where there is no other run.

    Of the runs that are judged on the same test data, another variant's come first: what all runs
    of a variant get wrong alike, none of them shows. Then those that are trained against the most
    threats, since images that are found on a model without any are hardly images of a threat to
    one that withstands. Then the recipe's order decides.
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
    """Return what a run's record says of its partner: where in the study it lies, and its name."""
    if partner is None:
        return {"partner": None}
    run = partner.path.relative_to(partner.study).as_posix()
    return {"partner": {"run": run, "label": partner.label, "seed": partner.seed}}
