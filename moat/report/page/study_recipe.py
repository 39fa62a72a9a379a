"""A study's recipe, assembled from the recipes of its runs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import tomli_w

from moat.storage import Record


@dataclass(frozen=True)
class StudyRecipe:
    """A recipe that trains a study's runs, as text, and where it cannot say all of it."""

    study: str
    text: str
    notes: tuple[str, ...]


def study_recipes(recipes: Sequence[tuple[str, Record | None]]) -> list[StudyRecipe]:
    """Return a recipe for each study, of its runs' recipes; none where no run has one."""
    kept: dict[str, list[Record]] = {}
    for study, recipe in recipes:
        if recipe is not None and _is_of_one_run(recipe):
            kept.setdefault(study, []).append(recipe)
    return [_study_recipe(study, documents) for study, documents in kept.items()]


def joined(documents: Sequence[Record]) -> Record:
    """Return one recipe: what the documents agree on, every seed, and a variant with its sweep.

    Variants that differ in nothing but the values of their sweep become one, whose sweep has all
    of these values.
    """
    shared = dict(documents[0])
    for document in documents[1:]:
        shared = _agreed(shared, document)
    variants: dict[str, list[Record]] = {}
    for document in documents:
        (variant,) = document["variant"]
        rest = {key: value for key, value in variant.items() if key != "sweep"}
        keys = list(variant.get("sweep", {}))
        variants.setdefault(json.dumps([rest, keys]), []).append(variant)
    shared["seeds"] = _ordered(seed for document in documents for seed in document["seeds"])
    shared["variant"] = [_swept(same) for same in variants.values()]
    return shared


def runs_of(recipe: Record) -> int:
    """Return how many runs a joined recipe stands for."""
    points = (len(list(product(*v.get("sweep", {}).values()))) for v in recipe["variant"])
    return sum(points) * len(recipe["seeds"])


def _study_recipe(study: str, documents: Sequence[Record]) -> StudyRecipe:
    recipe, notes = joined(documents), []
    differing = sorted({key for one in documents for key in _differing(one, recipe)})
    if differing:
        notes.append(
            f"The recipes of its runs disagree on {', '.join(differing)}, which is left out "
            "here; see each run's own recipe."
        )
    if (stood_for := runs_of(recipe)) != len(documents):
        notes.append(f"It describes {stood_for} runs; {len(documents)} of them are here.")
    return StudyRecipe(study, tomli_w.dumps(recipe), tuple(notes))


def _is_of_one_run(recipe: Record) -> bool:
    """Say whether a document is a run's recipe, and not something that lies in its place."""
    variants, seeds = recipe.get("variant"), recipe.get("seeds")
    if not (isinstance(variants, list) and len(variants) == 1 and isinstance(seeds, list)):
        return False
    (variant,) = variants
    sweep = variant.get("sweep", {}) if isinstance(variant, dict) else None
    return isinstance(sweep, dict) and all(isinstance(values, list) for values in sweep.values())


def _agreed(one: Record, other: Record) -> Record:
    """Return what two tables say alike, tables within them likewise."""
    found: Record = {}
    for key, value in one.items():
        if key not in other:
            continue
        if isinstance(value, dict) and isinstance(other[key], dict):
            found[key] = _agreed(value, other[key])
        elif value == other[key]:
            found[key] = value
    return found


def _differing(document: Record, shared: Record, prefix: str = "") -> Iterable[str]:
    for key, value in document.items():
        if not prefix and key in ("seeds", "variant"):
            continue
        if isinstance(value, dict) and isinstance(shared.get(key), dict):
            yield from _differing(value, shared[key], f"{prefix}{key}.")
        elif key not in shared:
            yield prefix + key


def _swept(variants: Sequence[Record]) -> Record:
    """Return the variant of these points of its sweep."""
    sweeps = [variant.get("sweep", {}) for variant in variants]
    sweep = {key: _ordered(v for each in sweeps for v in each[key]) for key in sweeps[0]}
    rest = {key: value for key, value in variants[0].items() if key != "sweep"}
    return {**rest, "sweep": sweep} if sweep else rest


def _ordered(values: Iterable[Any]) -> list[Any]:
    """Return the different values, numbers by size and before the rest."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    numbers = sorted(v for v in found if isinstance(v, int | float) and not isinstance(v, bool))
    others = [v for v in found if not isinstance(v, int | float) or isinstance(v, bool)]
    return [*numbers, *others]
