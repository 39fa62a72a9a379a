"""From a recipe to its runs: names become objects."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any, get_type_hints

from moat import data, models, scalarizers, threats
from moat.errors import RecipeError, did_you_mean
from moat.evaluation import Protocol
from moat.models import Model
from moat.models.python import PREFIX, PythonModel
from moat.recipe.explain import explained
from moat.recipe.load import Source, set_key
from moat.recipe.plan import RunPlan
from moat.recipe.schema import Recipe, VariantTable
from moat.registry import Registry, import_file
from moat.scalarizers import Scalarizer
from moat.threats import Threat
from moat.types import NATURAL


def plan_runs(source: Source, only: Sequence[str] = (), seeds: Sequence[int] = ()) -> list[RunPlan]:
    """Validate a recipe and return its runs, in the order of variants, sweep values and seeds.

    `only` and `seeds` pick from them; a name that is not there raises RecipeError.
    """
    with explained(source, (), Recipe):
        recipe = Recipe.model_validate(source.document)
    for path in recipe.plugins:
        with explained(source, ("plugins",), Recipe):
            import_file(Path(path))
    _require_distinct([variant.name for variant in recipe.variant], "variant", source, "variant")
    _require_known(only, [variant.name for variant in recipe.variant], "variant", source)
    _require_known(seeds, recipe.seeds, "seed", source)
    return [
        _plan(source, position, variant, dict(zip(variant.sweep, values, strict=True)), seed)
        for position, variant in enumerate(recipe.variant)
        for values in product(*variant.sweep.values())
        for seed in recipe.seeds
        if (not only or variant.name in only) and (not seeds or seed in seeds)
    ]


def _plan(
    source: Source, position: int, variant: VariantTable, sweep: dict[str, Any], seed: int
) -> RunPlan:
    """Build one run: apply its sweep values, then make every object and its own recipe."""
    document = deepcopy(source.document)
    own = document["variant"] = [document["variant"][position]]
    own[0]["sweep"] = {key: [value] for key, value in sweep.items()}
    document["seeds"] = [seed]
    applied = deepcopy(document)
    applied["scalarizer"] = applied["variant"][0].get("scalarizer", variant.scalarizer)
    for key, value in sweep.items():
        where = source.where("variant", position, "sweep", key)
        set_key(applied, tuple(key.split(".")), value, where)
    scalarizer_table = applied.pop("scalarizer")
    with explained(source, (), Recipe):
        recipe = Recipe.model_validate(applied)
    chosen = _chosen_threats(source, position, variant, list(recipe.threats))
    made = {label: _threat(source, recipe, label, "train") for label in chosen}
    return RunPlan(
        study=source.study,
        variant=variant.name,
        sweep=sweep,
        seed=seed,
        dataset=_made(data.registry, recipe.data.type, recipe.data.own, source, ("data",)),
        validation=recipe.data.validation,
        split_seed=recipe.data.split_seed,
        model=_model(recipe, source),
        training=recipe.training,
        optimizer=recipe.optimizer,
        schedule=recipe.schedule,
        threats=made,
        scalarizer=_scalarizer(scalarizer_table, source, position, len(made)),
        protocol=_protocol(source, recipe),
        document=document,
    )


def _made(
    registry: Registry[Any],
    name: str,
    keys: Mapping[str, Any],
    source: Source,
    key: tuple[str, ...],
    purpose: str = "",
) -> Any:
    """Build what is registered under a name from the keys of its table."""
    with explained(source, (*key, "type"), object):
        cls: Any = registry.get(name)
    hints = get_type_hints(cls)
    typed = {
        k: Path(v) if isinstance(v, str) and "Path" in str(hints.get(k)) else v
        for k, v in keys.items()
    }
    with explained(source, key, cls, purpose):
        return cls(**typed)


def _model(recipe: Recipe, source: Source) -> Model:
    table = recipe.model
    if table.type.startswith(PREFIX):
        if table.type.count(":") != 2:
            raise RecipeError(
                f"a model of one's own is written python:module:callable, not {table.type!r}.",
                where=source.where("model", "type"),
            )
        return PythonModel(table.type, table.own)
    made: Model = _made(models.registry, table.type, table.own, source, ("model",))
    return made


def _threat(source: Source, recipe: Recipe, label: str, purpose: str) -> Threat:
    """Build a threat for "train" or "evaluate": its table, overridden for that purpose."""
    table = recipe.threats[label]
    overrides = dict((table.train if purpose == "train" else table.evaluate) or {})
    if counts := overrides.pop("at_steps", None):
        overrides["steps"] = max(counts)  # one search serves every count
    name, keys = table.type or label, {**table.own, **overrides}
    made: Threat = _made(threats.registry, name, keys, source, ("threats", label), purpose)
    return made


def _scalarizer(
    table: str | dict[str, Any], source: Source, position: int, threat_count: int
) -> Scalarizer:
    key = ("variant", str(position), "scalarizer")
    keys = {"type": table} if isinstance(table, str) else dict(table)
    if not isinstance(name := keys.pop("type", None), str):
        raise RecipeError("a scalarizer table names its type.", where=source.where(*key))
    made: Scalarizer = _made(scalarizers.registry, name, keys, source, key)
    if not threat_count and made.name != "natural":
        raise RecipeError(
            f"the scalarizer {made.name!r} weighs threats, and this variant names none.",
            where=source.where("variant", position),
            hint='Give it threats = [...], or take scalarizer = "natural".',
        )
    return made


def _protocol(source: Source, recipe: Recipe) -> Protocol:
    """Build the protocol from the threats' `evaluate` tables and the evaluation table."""
    made, at_steps = {}, {}
    for label, table in recipe.threats.items():
        if table.evaluate is None:
            continue
        if (counts := table.evaluate.get("at_steps")) is not None:
            if not (isinstance(counts, list) and counts and all(type(n) is int for n in counts)):
                raise RecipeError(
                    f"at_steps is a list of whole numbers, not {counts!r}.",
                    where=source.where("threats", label, "evaluate", "at_steps"),
                )
            at_steps[label] = tuple(counts)
        made[label] = _threat(source, recipe, label, "evaluate")
    own = recipe.evaluation
    with explained(source, ("evaluation",), Recipe):
        return Protocol(made, at_steps, own.summed, own.examples, own.seed)


def _chosen_threats(
    source: Source, position: int, variant: VariantTable, known: Sequence[str]
) -> tuple[str, ...]:
    where = source.where("variant", position, "threats")
    for label in variant.threats:
        if label not in known:
            raise RecipeError(
                f"the variant {variant.name!r} names the threat {label!r}, which no table defines."
                f"{did_you_mean(label, known)}",
                where=where,
                hint=f"defined: {', '.join(known) or 'none'}\nAdd a table [threats.{label}].",
            )
    _require_distinct(variant.threats, "threat", source, "variant", str(position), "threats")
    if NATURAL in variant.threats:
        raise RecipeError(
            f"{NATURAL!r} is the images as they are, and can be no threat's label.", where=where
        )
    return variant.threats


def _require_distinct(names: Sequence[str], kind: str, source: Source, *key: str) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise RecipeError(
                f"the {kind} {name!r} is named twice.",
                where=source.where(*key),
                hint="Give one of them another name.",
            )


def _require_known(asked: Sequence[Any], known: Sequence[Any], kind: str, source: Source) -> None:
    for name in asked:
        if name not in known:
            names = [str(k) for k in known]
            raise RecipeError(
                f"the study has no {kind} {name!r}.{did_you_mean(str(name), names)}",
                where=source.where(),
                hint=f"known: {', '.join(names)}",
            )
