"""The cost of a training step for each example, in forwards and backwards, from its plan."""

from moat.data import batches_per_epoch
from moat.recipe import RunPlan
from moat.study.failures import asked_for
from moat.threats import GradientThreat, Spent
from moat.training.detector import look_cost
from moat.training.length import Length, length_of
from moat.training.search_length import mean_steps
from moat.training.step_cost import conflict_cost, step_cost


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
    key = length_key(plan)
    with asked_for(plan, *key):
        return length_of(plan.training, examples, cost, ".".join(key[-2:]))


def length_key(plan: RunPlan) -> tuple[str, ...]:
    """Return the key of a run's length: that of the training, or that of the path's legs."""
    is_leg = plan.start is not None and plan.start.training is not None
    if not is_leg or "training.passes" in plan.sweep:
        return ("training", "passes")
    position = [table.get("name") for table in plan.source.document["variant"]].index(plan.variant)
    return ("variant", str(position), "legs", "passes")


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


def training_cost(
    plan: RunPlan, trained: int, batch_norm: bool = False, classes: int = 10
) -> tuple[Spent, Spent, Length]:
    """Return (search, descent, length) of a training on so many examples.

    With epochs, searches count at their mean over the training, looks for overfitting included.
    With a budget, step and length are those at full cost: together they are the budget. Friendly
    searches count whole.
    """
    search, descent = spent_per_example(plan, batch_norm, classes)
    length = length_of_run(plan, trained, search.plus(descent))
    if plan.training.passes is None and not plan.is_point:
        search = _mean_search(plan, search, length, trained, classes)
    return search, descent, length


def conflict_per_example(plan: RunPlan, length: Length) -> Spent:
    """Return the mean cost, over the steps of a training, of measuring `conflict_every` so many."""
    every, steps = plan.training.conflict_every, length.steps
    if every is None or not steps:
        return Spent()
    cost = conflict_cost(plan.threats, plan.scalarizer, plan.losses)
    share = steps // every / steps
    return Spent(share * cost.forwards, share * cost.backwards)


def _mean_search(plan: RunPlan, search: Spent, length: Length, trained: int, classes: int) -> Spent:
    """Return the mean cost of the searches of a training step, looks included."""
    training, per_epoch = plan.training, length.steps_per_epoch
    climbed = {n: one for n, one in plan.threats.items() if isinstance(one, GradientThreat)}
    if training.curriculum is not None:
        means = {
            n: mean_steps(training, one.steps, length.exact_epochs, per_epoch)
            for n, one in climbed.items()
        }
        search, _ = step_cost(
            plan.threats, plan.scalarizer, losses=plan.losses, classes=classes, steps=means
        )
    if training.overfitting is not None:
        watch = training.overfitting
        watched = {n: one for n, one in climbed.items() if one.steps < watch.steps}
        looks = per_epoch / (watch.every or per_epoch)  # an epoch
        share = looks * min(watch.examples, trained) / trained
        forwards, backwards = look_cost(watch, watched)
        search = search.plus(Spent(share * forwards, share * backwards))
    return search
