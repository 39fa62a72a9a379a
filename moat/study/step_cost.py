"""The cost of a training step for each example, in forwards and backwards, from its plan."""

from moat.recipe import RunPlan
from moat.threats import Spent
from moat.training.step_cost import step_cost


def passes_per_example(plan: RunPlan) -> tuple[float, float]:
    """Return (search, descent): the forwards and backwards of a training step for each example.

    Forwards without a backward are not counted.
    """
    search, descent = spent_per_example(plan)
    return search.backwards, descent.backwards


def spent_per_example(
    plan: RunPlan, batch_norm: bool = False, classes: int = 10
) -> tuple[Spent, Spent]:
    """Return (search, descent), the cost of a training step for each example.

    For a scalarizer that draws its plan, it is the expectation.
    """
    return step_cost(
        plan.threats,
        plan.scalarizer,
        losses=plan.losses,
        batch_norm=batch_norm,
        classes=classes,
    )
