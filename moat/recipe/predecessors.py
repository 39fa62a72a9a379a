"""The runs of a study that start from others: their predecessors, and the order of the work."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from moat.recipe.plan import RunPlan


def predecessors_of(plans: Sequence[RunPlan]) -> dict[Path, RunPlan | None]:
    """Return the run of the same plans that each run starts from, by its folder; None without."""
    known = {plan.path: plan for plan in plans}
    return {plan.path: known.get(plan.start.place) if plan.start else None for plan in plans}


def with_predecessors(chosen: Collection[Path], plans: Sequence[RunPlan]) -> list[RunPlan]:
    """Return the chosen runs and all runs that they start from, in the order of the plans."""
    before = predecessors_of(plans)
    wanted = {path for path in chosen for path in _chain(path, before)}
    return [plan for plan in plans if plan.path in wanted]


def most_at_once(plans: Sequence[RunPlan]) -> int:
    """Return how many of some runs can be in work at once: the runs from which no other starts."""
    before = {plan.path for plan in predecessors_of(plans).values() if plan is not None}
    return sum(plan.path not in before for plan in plans)


def _chain(path: Path, before: dict[Path, RunPlan | None]) -> Iterator[Path]:
    yield path
    while (plan := before[path]) is not None:
        path = plan.path
        yield path
