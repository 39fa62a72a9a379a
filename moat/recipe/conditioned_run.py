"""The scalarizer of a conditioned network from a variant's table, and the points of its runs."""

from collections.abc import Sequence
from typing import Any

from moat import scalarizers
from moat.errors import DefinitionError, RecipeError
from moat.names import NATURAL
from moat.recipe.conditioned import place_in_words, same_point
from moat.recipe.explain import explained
from moat.recipe.objects import scalarizer_of
from moat.recipe.plan import RunPlan
from moat.recipe.provenance import Source
from moat.scalarizers import Average, RandomPreference, Sampled, Scalarizer, Weighted
from moat.scalarizers.random_preference import has_fixed_weights, preference_at
from moat.training import Training

_SUITABLE = (Average, Weighted, Sampled, RandomPreference)


def conditioned_scalarizer_of(
    table: str | dict[str, Any], source: Source, position: int, labels: Sequence[str]
) -> Scalarizer:
    """Build the scalarizer that draws preferences up to the weights of the variant's own."""
    key = ("variant", str(position), "scalarizer")
    name = table if isinstance(table, str) else table.get("type")
    if not labels:
        raise RecipeError(
            "a conditioned network weighs threats, but this variant names none.",
            where=source.where("variant", position),
            hint="Give it threats = [...], or leave `conditioned` out.",
        )
    if isinstance(name, str):
        with explained(source, (*key, "type"), object):
            cls = scalarizers.registry.get(name)
        with explained(source, key, object):
            if not issubclass(cls, _SUITABLE):
                raise _without_fixed_weights(name)
    rule = scalarizer_of(table, source, position, labels)
    if isinstance(rule, RandomPreference):
        return rule
    with explained(source, key, object):
        if not has_fixed_weights(rule):
            raise _without_fixed_weights(rule.rule.name if isinstance(rule, Sampled) else rule.name)
        return RandomPreference(rule=rule)  # type: ignore[arg-type]


def _without_fixed_weights(name: str) -> DefinitionError:
    return DefinitionError(
        f"the rule {name!r} has no fixed weights for the robust end of the line.",
        hint='Set scalarizer = "sampled" or "average", or { type = "weighted", ... }.',
    )


def require_parts(
    scalarizer: Scalarizer, table: str | dict[str, Any], training: Training, where: str
) -> None:
    """Raise RecipeError if a batch cannot have as many parts as the table says."""
    said = isinstance(table, dict) and "parts" in table
    if not (said and isinstance(scalarizer, RandomPreference)):
        return
    most = max(1, training.batch_size // 2)
    if scalarizer.parts > most:
        raise RecipeError(
            f"parts = {scalarizer.parts} is too many for a batch of {training.batch_size}: a part "
            "has at least two examples.",
            where=where,
            hint=f"Write at most parts = {most}, or a larger training.batch_size.",
        )


def require_distinct_points(plans: Sequence[RunPlan], source: Source, position: int) -> None:
    """Raise RecipeError if two points of a conditioned network have the same weights."""
    seen = [(p.conditioned.at, _weights_of(p)) for p in plans if p.conditioned is not None]
    for number, (at, row) in enumerate(seen):
        for other, before in seen[:number]:
            if same_point(row, before):
                one, two = place_in_words(other), place_in_words(at)
                raise RecipeError(
                    f"the point {one} is named twice."
                    if one == two
                    else f"the points {one} and {two} are the same: their weights are equal.",
                    where=source.where("variant", str(position), "conditioned", "at"),
                    hint="Leave one out.",
                )


def _weights_of(plan: RunPlan) -> Any:
    assert plan.conditioned is not None
    return preference_at(plan.conditioned.at, plan.scalarizer, (NATURAL, *plan.threats))
