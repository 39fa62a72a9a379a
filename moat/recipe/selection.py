"""The requested runs of a study: variants or labels, and seeds."""

from collections.abc import Collection, Sequence

from moat.errors import RecipeError, did_you_mean
from moat.recipe.plan import RunPlan
from moat.recipe.predecessors import with_predecessors
from moat.recipe.provenance import Source


def chosen_runs(
    plans: Sequence[RunPlan], only: Sequence[str], seeds: Sequence[int], source: Source
) -> list[RunPlan]:
    """Return the runs of the variants or labels `only`, and of the seeds; of all where none is.

    A label is the name of a run in tables: "pareto r=0.1". One text may have several, with commas.
    The runs that a chosen run starts from are among them. Raises RecipeError for an unknown name or
    seed.
    """
    variants = dict.fromkeys(plan.variant for plan in plans)
    labels = dict.fromkeys(plan.label for plan in plans)
    names = separated(only, {*variants, *labels})
    known = [*variants, *(label for label in labels if label not in variants)]
    for name in names:
        if name not in known:
            raise _unknown(f"variant {name!r}", name, known, source)
    known_seeds = dict.fromkeys(plan.seed for plan in plans)
    for seed in seeds:
        if seed not in known_seeds:
            raise _unknown(f"seed {seed!r}", str(seed), [*map(str, known_seeds)], source)
    chosen = [plan for plan in plans if is_chosen(plan, names, seeds)]
    return with_predecessors({plan.path for plan in chosen}, plans)


def added_runs(
    plans: Sequence[RunPlan], only: Sequence[str], seeds: Sequence[int]
) -> list[RunPlan]:
    """Return the runs that were not chosen, and are there because chosen ones start from them."""
    names = separated(only, {name for plan in plans for name in (plan.variant, plan.label)})
    return [plan for plan in plans if not is_chosen(plan, names, seeds)]


def is_chosen(plan: RunPlan, names: Collection[str], seeds: Collection[int]) -> bool:
    """Say whether a run is among these variants or labels, and seeds; none of them means all."""
    named = not names or plan.variant in names or plan.label in names
    return named and (not seeds or plan.seed in seeds)


def separated(texts: Sequence[str], known: Collection[str]) -> list[str]:
    """Return the names in texts, of which each may hold several with commas between.

    Example:
        >>> separated(["plain, pareto", "mixed a=[1,2]"], {"mixed a=[1,2]"})
        ['plain', 'pareto', 'mixed a=[1,2]']
    """
    found: list[str] = []
    for text in texts:
        parts = [part.strip() for part in text.split(",")] if isinstance(text, str) else [text]
        found += [text] if text in known else [part for part in parts if part] or [text]
    return found


def _unknown(what: str, name: str, known: Sequence[str], source: Source) -> RecipeError:
    return RecipeError(
        f"the study has no {what}.{did_you_mean(name, known)}",
        where=source.where(),
        hint=f"known: {', '.join(known)}",
    )
