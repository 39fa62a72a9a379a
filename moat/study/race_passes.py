"""The passes of a rule in a race: those of its trainings and of all that they start from."""

from collections.abc import Sequence
from pathlib import Path

from moat.recipe import RunPlan
from moat.recipe.predecessors import with_predecessors
from moat.study.start import passes_before
from moat.study.step_cost import spent_per_example, training_cost
from moat.training.pace import cost_changes


def rule_passes(
    of: Sequence[RunPlan], plans: Sequence[RunPlan], cache: Path | None = None
) -> float:
    """Return the passes of a rule's trainings for each of their images, forwards and backwards.

    Those of the runs that they start from are counted, each once: runs of these plans, and finished
    runs elsewhere, whose records tell their passes. Where the cost of a step changes, the data are
    read; `cache` is a folder for decoded images.
    """
    every = with_predecessors({plan.path for plan in of}, plans)
    outside = {plan.start.place for plan in every if plan.start and plan.start.training is None}
    own = sum(_training_passes(plan, cache) for plan in every)
    return own + sum(map(passes_before, outside))


def _training_passes(plan: RunPlan, cache: Path | None) -> float:
    if plan.is_point:
        return 0.0  # of a network that another run trains
    if plan.training.passes is not None:
        return float(plan.training.passes)
    if not cost_changes(plan.training):
        search, descent = spent_per_example(plan)
        return float((plan.training.epochs or 0) * search.plus(descent).total)
    data = plan.dataset.load(cache)
    split, _ = plan.share.of(data.train)
    search, descent, length = training_cost(plan, len(split), classes=len(data.classes))
    return length.exact_epochs * search.plus(descent).total
