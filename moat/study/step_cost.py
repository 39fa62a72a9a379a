"""The cost of a training step for each example, in forwards and backwards, from its plan."""

from moat.recipe import RunPlan
from moat.threats import Spent
from moat.training.step_cost import step_cost


def passes_per_example(plan: RunPlan) -> tuple[float, float]:
    """Return (search, descent): forwards and backwards that a training step costs an example.

    Forwards without a backward are not counted.
    """
    search, descent = spent_per_example(plan)
    return search.backwards, descent.backwards


def spent_per_example(
    plan: RunPlan, batch_norm: bool = False, classes: int = 10
) -> tuple[Spent, Spent]:
    """Return (search, descent): what a training step costs an example.

    Of a scalarizer that draws its plan, the expectation.
    """
    return step_cost(
        plan.threats,
        plan.scalarizer,
        losses=plan.losses,
        batch_norm=batch_norm,
        classes=classes,
    )
