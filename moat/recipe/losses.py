"""From a variant's `losses` to the loss of each of its objectives."""

from collections.abc import Mapping, Sequence
from typing import Any

from moat.errors import RecipeError, did_you_mean
from moat.names import NATURAL
from moat.recipe.explain import explained
from moat.recipe.provenance import Key, Source, is_table
from moat.recipe.shorthand import with_fractions
from moat.scalarizers import Scalarizer
from moat.training import CrossEntropy, TrainingLoss
from moat.training.losses import LOSS_CLASSES
from moat.training.objective_losses import objective_losses, require_positive

DEFAULT = CrossEntropy()


def variant_losses(
    said: str | Mapping[str, Any],
    source: Source,
    position: int,
    threats: Sequence[str],
    scalarizer: Scalarizer,
) -> dict[str, TrainingLoss]:
    """Return the loss of each objective that does not descend plain cross-entropy.

    `said` is one loss for all, or a table by objective. Raises RecipeError for an objective that
    the variant does not have, for a partner that is not another of its objectives, and for a loss
    that the scalarizer cannot weigh.
    """
    key: Key = ("variant", str(position), "losses")
    names = (NATURAL, *threats)
    if is_one_loss(said):
        made = dict.fromkeys(names, _loss(said, source, key))
    else:
        assert not isinstance(said, str)
        _require_known(list(said), names, source, key)
        made = {name: _loss(table, source, (*key, name)) for name, table in said.items()}
    for name, loss in made.items():
        with explained(source, key if is_one_loss(said) else (*key, name), type(loss)):
            objective_losses({name: loss}, names)
            require_positive(scalarizer, {name: loss}, names)
    return {name: made[name] for name in names if made.get(name, DEFAULT) != DEFAULT}


def is_one_loss(said: object) -> bool:
    """Say whether `losses` is one loss for all objectives: a name, or a table with a `type`."""
    return isinstance(said, str) or (
        isinstance(said, Mapping) and isinstance(said.get("type"), str)
    )


def _loss(said: Any, source: Source, key: Key) -> TrainingLoss:
    keys = {"type": said} if isinstance(said, str) else said
    known = f"known: {', '.join(LOSS_CLASSES)}"
    if not is_table(keys):
        raise RecipeError(
            f"a loss is a name or a table with a type, not {said!r}.",
            where=source.where(*key),
            hint=known,
        )
    name = keys.get("type")
    if not isinstance(name, str):
        raise RecipeError("a loss table names its type.", source.where(*key, "type"), known)
    if name not in LOSS_CLASSES:
        where = source.where(*key) if isinstance(said, str) else source.where(*key, "type")
        raise RecipeError(
            f"no loss is called {name!r}.{did_you_mean(name, LOSS_CLASSES)}", where, known
        )
    cls = LOSS_CLASSES[name]
    with explained(source, key, cls):
        return with_fractions(lambda values: cls(**values), dict(keys))


def _require_known(said: Sequence[str], names: Sequence[str], source: Source, key: Key) -> None:
    for name in said:
        if name not in names:
            raise RecipeError(
                f"there is a loss for {name!r}, which this variant does not train on."
                f"{did_you_mean(name, names)}",
                where=source.where(*key, name),
                hint=f"Its objectives: {', '.join(names)}.",
            )
