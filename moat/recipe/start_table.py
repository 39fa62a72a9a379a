"""The start of a planned run, and its table in the run's own recipe."""

import re
from pathlib import Path
from typing import Any

from moat.digests import digest_of_file
from moat.errors import BundleError, RecipeError, did_you_mean
from moat.recipe.path_points import PathPoint
from moat.recipe.paths import absolute
from moat.recipe.plan import RunPlan
from moat.recipe.provenance import Document, Source
from moat.recipe.schema import Recipe, StartTable
from moat.recipe.start import START_KEY, Start
from moat.runs import opened_weights, weights_file

SEED = "{seed}"
"""In the path of a start: the seed of the run."""
_PLACEHOLDER = re.compile(r"\{\w*\}")


def start_after(document: Document, recipe: Recipe, position: int, before: RunPlan) -> Start:
    """Return the start of a leg, which continues from the run `before` it, and write it down."""
    legs = recipe.variant[position].legs
    beside = Path("..", "..", *before.path.parts[-2:])  # the folders of the values and the seed
    table = {"weights": beside.as_posix(), "training": before.train_hash}
    _write(document, {**table, "optimizer": legs.optimizer})
    return Start(before.path, training=before.train_hash, optimizer=legs.optimizer)


def require_same_optimizer(
    recipe: Recipe, before: RunPlan, start: Start | None, source: Source, position: int
) -> None:
    """Raise RecipeError for a leg that keeps the state of another type of optimizer."""
    kept = start is not None and start.optimizer == "kept"
    if kept and recipe.optimizer.type != before.optimizer.type:
        raise RecipeError(
            f"a leg by {recipe.optimizer.type!r} cannot keep the state of {before.optimizer.type!r}"
            ", by which the run before it is trained.",
            where=source.where("variant", str(position), "legs", "optimizer"),
            hint='Set it to "fresh", or use one type of optimizer on the whole path.',
        )


def start_of(
    document: Document, recipe: Recipe, position: int, point: PathPoint, source: Source
) -> Start | None:
    """Return the start of a run by its sweep, its variant or the recipe, and write it down.

    None means new weights. A sweep's path is relative to the folder of the file that states it.
    """
    said = recipe.variant[position].start or recipe.start
    own = said is not None and (said.digest or said.training)  # of a run's own recipe
    if START_KEY in point.sweep and not own:
        said = _swept(point.sweep[START_KEY], said, source, position)
    if said is None:
        return None
    if said.optimizer == "kept" and recipe.variant[position].conditioned and not said.training:
        raise RecipeError(
            "a conditioned network begins around plain weights, with a new encoder: no optimizer's "
            "state belongs to it.",
            where=source.where("variant", str(position), START_KEY),
            hint='Set optimizer = "fresh", or leave `conditioned` out.',
        )
    (seed,) = document["seeds"]
    place = Path(said.weights.replace(SEED, str(seed)))
    digest = said.digest
    if said.training is None and digest is None:
        digest = _digest_at(place)
        if digest is None:
            _require_placeholders(place, _where(source, position, point))
    told = {"weights": str(place), "training": said.training, "digest": digest}
    table = {key: value for key, value in told.items() if value is not None}
    _write(document, {**table, "optimizer": said.optimizer})
    return Start(place, said.training, digest, said.optimizer)


def _digest_at(place: Path) -> str | None:
    try:
        file = weights_file(opened_weights(place))
    except BundleError:  # which a dry run says, and the run
        return None
    return digest_of_file(file) if file.is_file() else None


def _require_placeholders(place: Path, where: str) -> None:
    """Raise RecipeError for a path that is not there and has another placeholder than the seed."""
    if (found := _PLACEHOLDER.search(str(place))) and not place.exists():
        near = did_you_mean(found[0], [SEED])
        raise RecipeError(
            f"{found[0]} in the path of a start stands for nothing.{near}",
            where=where,
            hint=f"{SEED} is the only placeholder: it stands for the seed of the run.",
        )


def _where(source: Source, position: int, point: PathPoint) -> str:
    """Return the place of the key that states a run's start."""
    variant = ("variant", str(position))
    if START_KEY in point.sweep:
        return source.where(*variant, "sweep", START_KEY)
    own = START_KEY in source.document["variant"][position]
    return source.where(*(variant if own else ()), START_KEY)


def _swept(value: Any, said: StartTable | None, source: Source, position: int) -> StartTable:
    key = ("variant", str(position), "sweep", START_KEY)
    where = source.where(*key)
    if not isinstance(value, str):
        raise RecipeError(
            "a sweep of starts is a list of paths, each of a run folder or a file of weights, not "
            f"{value!r}.",
            where=where,
            hint='Write paths in quotes: start = ["results/digits/natural/seed-{seed}"]. The '
            'variant\'s own start = { weights = "...", optimizer = "kept" } keeps the state of '
            "all.",
        )
    weights = absolute(value, source.folder(*key), where, is_start=True)
    optimizer = "fresh" if said is None else said.optimizer
    return StartTable(weights=weights, optimizer=optimizer)


def _write(document: Document, table: dict[str, Any]) -> None:
    document.pop(START_KEY, None)
    document["variant"][0][START_KEY] = table
