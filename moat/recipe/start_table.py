"""The start of a planned run, and its table in the run's own recipe."""

from pathlib import Path
from typing import Any

from moat.digests import digest_of_file
from moat.recipe.plan import RunPlan
from moat.recipe.provenance import Document
from moat.recipe.schema import Recipe
from moat.recipe.start import Start
from moat.runs import weights_file

SEED = "{seed}"
"""In the path of a start: the seed of the run."""


def start_of(
    document: Document, recipe: Recipe, position: int, before: RunPlan | None
) -> Start | None:
    """Return what a run's training begins with, and write it into the run's own recipe.

    A leg of a path begins with the run `before` it; another run as its variant says, or else the
    recipe. None means new weights.
    """
    variant = recipe.variant[position]
    if before is not None:
        legs = variant.legs
        beside = Path("..", "..", *before.path.parts[-2:])  # the sweep's folder, and the seed's
        table = {"weights": beside.as_posix(), "training": before.train_hash}
        _write(document, {**table, "optimizer": legs.optimizer})
        return Start(before.path, training=before.train_hash, optimizer=legs.optimizer)
    said = variant.start or recipe.start
    if said is None:
        return None
    (seed,) = document["seeds"]
    place = Path(said.weights.replace(SEED, str(seed)))
    file, digest = weights_file(place), said.digest
    if said.training is None and digest is None and file.is_file():
        digest = digest_of_file(file)
    told = {"weights": str(place), "training": said.training, "digest": digest}
    table = {key: value for key, value in told.items() if value is not None}
    _write(document, {**table, "optimizer": said.optimizer})
    return Start(place, said.training, digest, said.optimizer)


def _write(document: Document, table: dict[str, Any]) -> None:
    document.pop("start", None)
    document["variant"][0]["start"] = table
