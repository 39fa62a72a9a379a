"""The cost of a training step for each example, in forwards and backwards, from its plan."""

from moat.data import batches_per_epoch
from moat.recipe import RunPlan
from moat.threats import Spent
from moat.training.length import Length, length_of
from moat.training.step_cost import step_cost


def passes_per_example(plan: RunPlan) -> tuple[float, float]:
    """Return (search, descent): the forwards and backwards of a training step for each example.

    Forwards without a backward are not counted.
    """
    search, descent = spent_per_example(plan)
    return search.backwards, descent.backwards


def length_of_run(plan: RunPlan, examples: int, cost: Spent) -> Length:
    """Return the length of a run's training; 0 if it takes its network from another run."""
    if plan.is_point:
        return Length(0, batches_per_epoch(examples, plan.training.batch_size))
    return length_of(plan.training, examples, cost)


def spent_per_example(
    plan: RunPlan, batch_norm: bool = False, classes: int = 10
) -> tuple[Spent, Spent]:
    """Return (search, descent), the cost of a training step for each example.

    For a scalarizer that draws its plan, it is the expectation. A run that takes its network from
    another has no step.
    """
    if plan.is_point:
        return Spent(), Spent()
    return step_cost(
        plan.threats,
        plan.scalarizer,
        losses=plan.losses,
        batch_norm=batch_norm,
        classes=classes,
    )
