"""From a recipe to its runs: names become objects."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_type_hints

from moat import data, models, scalarizers, threats
from moat.data import TrainingShare
from moat.errors import RecipeError
from moat.evaluation import Protocol
from moat.local_code import import_file
from moat.models import Model
from moat.models.python import PREFIX, PythonModel
from moat.models.torchvision import PREFIX as TORCHVISION
from moat.models.torchvision import torchvision_model
from moat.recipe.checks import (
    require_ascending,
    require_distinct_folders,
    require_held_out,
    require_known,
    require_sound,
)
from moat.recipe.explain import explained
from moat.recipe.overrides import set_key
from moat.recipe.plan import RunPlan
from moat.recipe.schema import DataTable, ModelTable, Recipe, ThreatTable, VariantTable
from moat.recipe.source import Document, Source
from moat.registry import Registry
from moat.scalarizers import Scalarizer
from moat.threats import GradientThreat, Threat

DEFAULT_SCALARIZER = VariantTable.model_fields["scalarizer"].default


def plan_runs(source: Source, only: Sequence[str] = (), seeds: Sequence[int] = ()) -> list[RunPlan]:
    """Validate a recipe and return its runs, in the order of variants, sweep values and seeds.

    `only` and `seeds` pick from them; a name that is not there raises RecipeError.
    """
    with explained(source, (), Recipe):
        recipe = Recipe.model_validate(source.document)
    for number, path in enumerate(recipe.plugins):
        with explained(source, ("plugins", str(number)), Recipe):
            import_file(Path(path))
    require_sound(recipe, source)
    require_known(only, [variant.name for variant in recipe.variant], "variant", source)
    require_known(seeds, recipe.seeds, "seed", source)
    for label in _idle_threats(recipe):
        _threat(source, recipe, label, "train")
    plans = [
        _plan(source, position, dict(zip(variant.sweep, values, strict=True)), seed)
        for position, variant in enumerate(recipe.variant)
        for values in product(*variant.sweep.values())
        for seed in recipe.seeds
    ]
    require_distinct_folders([str(plan.path) for plan in plans], source)
    return [
        plan
        for plan in plans
        if (not only or plan.variant in only) and (not seeds or plan.seed in seeds)
    ]


def _plan(source: Source, position: int, sweep: dict[str, Any], seed: int) -> RunPlan:
    """Build one run: apply its sweep values, then make every object and its own recipe."""
    document = deepcopy(source.document)
    own = document["variant"] = [document["variant"][position]]
    own[0]["sweep"] = {key: [value] for key, value in sweep.items()}
    document["seeds"] = [seed]
    applied = deepcopy(document)
    applied["scalarizer"] = applied["variant"][0].get("scalarizer", DEFAULT_SCALARIZER)
    said_in = dict(source.said_in)
    for key, value in sweep.items():
        where = source.where("variant", position, "sweep", key)
        for said in set_key(applied, tuple(key.split(".")), value, where):
            in_variant = ("variant", str(position)) if said[0] == "scalarizer" else ()
            said_in[*in_variant, *said] = where
    source = replace(source, said_in=said_in)
    scalarizer_table = applied.pop("scalarizer")
    with explained(source, (), Recipe):
        recipe = Recipe.model_validate(applied)
    (variant,) = recipe.variant
    require_held_out(recipe, source)
    made = {label: _threat(source, recipe, label, "train") for label in variant.threats}
    return RunPlan(
        source=source,
        variant=variant.name,
        sweep=sweep,
        seed=seed,
        dataset=_made(
            data.registry,
            recipe.data.type,
            recipe.data.own,
            source,
            ("data",),
            DataTable.model_fields,
        ),
        share=TrainingShare(
            recipe.data.train_examples, recipe.data.validation, recipe.data.split_seed
        ),
        augmentation=recipe.augmentation,
        memory=recipe.data.memory,
        model=_with_digests(_model(recipe, source), document),
        training=recipe.training,
        optimizer=recipe.optimizer,
        schedule=recipe.schedule,
        threats=made,
        scalarizer=_scalarizer(scalarizer_table, source, position, len(made)),
        protocol=_protocol(source, recipe),
        document=document,
    )


def _idle_threats(recipe: Recipe) -> list[str]:
    """Return the threats that no variant trains against, though they could be."""
    used = {label for variant in recipe.variant for label in variant.threats}
    tables = recipe.threats.items()
    return [n for n, table in tables if n not in used and (table.train or table.evaluate is None)]


def _made(
    registry: Registry[Any],
    name: str,
    keys: Mapping[str, Any],
    source: Source,
    key: tuple[str, ...],
    also: Iterable[str],
    purpose: str = "",
) -> Any:
    """Build what is registered under a name from the keys of its table."""
    with explained(source, (*key, "type"), object):
        cls = registry.get(name)
    return _filled(cls, keys, source, key, also, purpose)


def _filled(
    cls: Any,
    keys: Mapping[str, Any],
    source: Source,
    key: tuple[str, ...],
    also: Iterable[str],
    purpose: str = "",
) -> Any:
    """Build an object of a class from the keys of its table."""
    hints = get_type_hints(cls)
    typed = {
        k: Path(v) if isinstance(v, str) and "Path" in str(hints.get(k)) else v
        for k, v in keys.items()
    }
    with explained(source, key, cls, purpose, also):
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
    with explained(source, ("model", "type"), object):
        published = table.type.startswith(TORCHVISION)
        cls = (torchvision_model if published else models.registry.get)(table.type)
    made: Model = _filled(cls, table.own, source, ("model",), ModelTable.model_fields)
    return made


def _with_digests(model: Model, document: Document) -> Model:
    """Say in the run's own recipe, and in the model, what the files it names hold."""
    digests = model.digests()
    document["model"] |= digests
    return replace(model, **digests) if digests else model  # type: ignore[type-var]


def _threat(source: Source, recipe: Recipe, label: str, purpose: str) -> Threat:
    """Build a threat for "train" or "evaluate": its table, overridden for that purpose."""
    table, key = recipe.threats[label], ("threats", label)
    name = table.type or label
    overrides = dict((table.train if purpose == "train" else table.evaluate) or {})
    if purpose == "evaluate" and (counts := overrides.pop("at_steps", None)) is not None:
        where = source.where(*key, purpose, "at_steps")
        require_ascending(counts, where)
        if "steps" in overrides:
            raise RecipeError(
                "steps says nothing beside at_steps, whose largest count is the search's length.",
                where=source.where(*key, purpose, "steps"),
                hint="Leave one of them out.",
            )
        with explained(source, (*key, "type"), object):
            if not issubclass(threats.registry.get(name), GradientThreat):
                raise RecipeError(
                    f"{label!r} is not searched by ascent, so it takes no at_steps.", where=where
                )
        overrides["steps"] = counts[-1]  # one search serves every count
    keys, also = {**table.own, **overrides}, ThreatTable.model_fields
    made: Threat = _made(threats.registry, name, keys, source, key, also, purpose)
    return made


def _scalarizer(
    table: str | dict[str, Any], source: Source, position: int, threat_count: int
) -> Scalarizer:
    key = ("variant", str(position), "scalarizer")
    keys = {"type": table} if isinstance(table, str) else dict(table)
    if not isinstance(name := keys.pop("type", None), str):
        raise RecipeError(
            "a scalarizer table names its type.",
            where=source.where(*key, "type"),
            hint=f"known: {', '.join(cls.name for cls in scalarizers.registry)}",
        )
    made: Scalarizer = _made(scalarizers.registry, name, keys, source, key, ["type"])
    if not threat_count and made.name != "natural":
        raise RecipeError(
            f"the scalarizer {made.name!r} weighs threats, and this variant names none.",
            where=source.where("variant", position),
            hint='Give it threats = [...], or take scalarizer = "natural".',
        )
    return made


def _protocol(source: Source, recipe: Recipe) -> Protocol:
    """Build the protocol from the threats' `evaluate` tables and the evaluation table."""
    evaluated = {
        n: table.evaluate for n, table in recipe.threats.items() if table.evaluate is not None
    }
    made = {label: _threat(source, recipe, label, "evaluate") for label in evaluated}
    at_steps = {
        n: tuple(table["at_steps"]) for n, table in evaluated.items() if "at_steps" in table
    }
    own = recipe.evaluation
    with explained(source, ("evaluation", "summed"), Recipe):
        return Protocol(made, at_steps, own.summed, own.examples, own.seed)
