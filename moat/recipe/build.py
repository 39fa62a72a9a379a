"""From a recipe to its runs: variants, points of their sweeps, seeds."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from moat.kept_modules import modules_of
from moat.recipe.checks import (
    require_bounded,
    require_distinct_folders,
    require_followed,
    require_held_out,
    require_names,
    require_one_length,
    require_sound,
)
from moat.recipe.code import require_consent_to
from moat.recipe.conditioned_run import (
    conditioned_scalarizer_of,
    require_distinct_points,
    require_parts,
)
from moat.recipe.explain import explained
from moat.recipe.figures import require_figures
from moat.recipe.homes import naming_homes
from moat.recipe.load import require_plain_document
from moat.recipe.losses import variant_losses
from moat.recipe.objects import (
    conditioned_of,
    data_set_of,
    import_plugins,
    model_of,
    protocol_of,
    require_known_channels,
    scalarizer_of,
    share_of,
    threat_of,
    with_digests,
)
from moat.recipe.overrides import set_key, with_absolute_paths
from moat.recipe.path_points import PathPoint, paths_of, set_leg
from moat.recipe.plan import RunPlan
from moat.recipe.provenance import Source
from moat.recipe.schema import Recipe, VariantTable
from moat.recipe.selection import chosen_runs
from moat.recipe.shorthand import with_fractions
from moat.recipe.start import START_KEY
from moat.recipe.start_table import require_same_optimizer, start_after, start_of

OF_A_VARIANT = ("scalarizer", "losses")
"""The keys of a variant that a sweep sets as if they stood at the top."""
DEFAULT_SCALARIZER = VariantTable.model_fields["scalarizer"].default


def plan_runs(source: Source, only: Sequence[str] = (), seeds: Sequence[int] = ()) -> list[RunPlan]:
    """Validate a recipe and return its runs, in the order of variants, sweep values and seeds.

    `only` and `seeds` select some of them; an unknown name raises RecipeError.
    """
    with modules_of(source.code), naming_homes(source.document):
        return _plan_runs(source, only, seeds)


def _plan_runs(source: Source, only: Sequence[str], seeds: Sequence[int]) -> list[RunPlan]:
    with explained(source, (), Recipe):
        recipe = with_fractions(Recipe.model_validate, source.document)
    require_plain_document(source)
    require_bounded(recipe, source)
    require_consent_to(recipe.plugins, source)
    import_plugins(recipe.plugins, source)
    require_sound(recipe, source)
    for label in _idle_threats(recipe):
        threat_of(recipe.threats[label], source, label, "train")
    plans = [
        plan
        for position, variant in enumerate(recipe.variant)
        for points in paths_of(variant)
        for plan in _path(source, position, points, recipe)
    ]
    require_names((plan.path for plan in plans), source)
    require_distinct_folders([str(plan.path) for plan in plans], source)
    if len(plans) > 1:  # a run's own recipe keeps the figures of the study that it belongs to
        sweeps = {one.name: [*one.sweep, *one.path] for one in recipe.variant}
        scored = [*plans[0].protocol.threats, *plans[0].protocol.ensembles]
        require_figures(recipe.figure, sweeps, scored, source)
    return chosen_runs(plans, only, seeds, source)


def _path(source: Source, position: int, points: list[PathPoint], recipe: Recipe) -> list[RunPlan]:
    """Build the runs of a path, point by point: each leg starts from the run of its seed before."""
    plans: list[RunPlan] = []
    before: dict[int, RunPlan] = {}
    for point in points:
        for seed in recipe.seeds:
            plans.append(_plan(source, position, point, seed, recipe, before.get(seed)))
            if point.at is None or not point.number:  # all points of a network are its trunk's
                before[seed] = plans[-1]
    require_distinct_points([p for p in plans if p.seed == recipe.seeds[0]], source, position)
    return plans


def _absolute(
    values: Mapping[str, Any], source: Source, position: int, table: str
) -> dict[str, Any]:
    """Return the values of a sweep or a path; a path to a file is read from the recipe's folder.

    That of a start is read elsewhere.
    """
    found = dict(values)
    for key in values.keys() - {START_KEY}:
        said = ("variant", position, table, key)
        parts = tuple(key.split("."))
        found[key] = with_absolute_paths(
            parts, found[key], source.folder(*said), source.where(*said)
        )
    return found


def _plan(
    source: Source,
    position: int,
    point: PathPoint,
    seed: int,
    recipe: Recipe,
    before: RunPlan | None = None,
) -> RunPlan:
    """Build one run: apply its sweep values, then make every object and its own recipe."""
    others = {key: table for key, table in source.document.items() if key != "variant"}
    document = deepcopy({**others, "variant": [source.document["variant"][position]]})
    own = document["variant"]
    values = {"sweep": point.sweep, "path": point.path}
    values = {name: _absolute(of, source, position, name) for name, of in values.items()}
    own[0]["sweep"] = {key: [value] for key, value in values["sweep"].items()}
    if point.path:
        own[0]["path"] = {key: [value] for key, value in values["path"].items()}
    if point.at is not None:
        own[0]["conditioned"] = {**own[0]["conditioned"], "at": [point.at]}
    document["seeds"] = [seed]
    require_one_length(point.values, source, position)
    if before is None:
        start = start_of(document, recipe, position, point, source)
    else:
        start = start_after(document, recipe, position, before)
    applied = deepcopy(document)
    applied["scalarizer"] = applied["variant"][0].get("scalarizer", DEFAULT_SCALARIZER)
    applied["losses"] = applied["variant"][0].get("losses", {})
    said_in = dict(source.said_in)
    for table, of_table in values.items():
        leg = point.at is None and start is not None and start.training is not None
        if table == "path" and leg:
            set_leg(applied, recipe.variant[position].legs)
        for key, value in of_table.items():
            if key == START_KEY:
                continue
            where = source.where("variant", position, table, key)
            for said in set_key(applied, tuple(key.split(".")), deepcopy(value), where):
                in_variant = ("variant", str(position)) if said[0] in OF_A_VARIANT else ()
                said_in[*in_variant, *said] = where
    source = replace(source, said_in=said_in)
    scalarizer_table = applied.pop("scalarizer")
    applied["variant"][0]["losses"] = applied.pop("losses")
    with explained(source, (), Recipe):
        recipe = with_fractions(Recipe.model_validate, applied)
    (variant,) = recipe.variant
    if recipe.evaluation.examples is not None:  # a run's own recipe without it took the first
        table = document.get("evaluation", {})
        document["evaluation"] = {**table, "sample": recipe.evaluation.sample}
    require_held_out(recipe, source)
    if before is not None:
        require_same_optimizer(recipe, before, start, source, position)
    threats = {n: threat_of(recipe.threats[n], source, n, "train") for n in variant.threats}
    dataset = data_set_of(recipe.data, source)
    protocol = protocol_of(recipe.threats, recipe.evaluation, source)
    require_known_channels({**protocol.threats, **threats}, dataset, source)
    model = with_digests(model_of(recipe.model, source), document)
    made_by = scalarizer_of if variant.conditioned is None else conditioned_scalarizer_of
    scalarizer = made_by(scalarizer_table, source, position, list(threats))
    require_followed(recipe.training, threats, scalarizer, source)
    parts = source.where("variant", str(position), "scalarizer", "parts")
    require_parts(scalarizer, scalarizer_table, recipe.training, parts)
    losses = variant_losses(variant.losses, source, position, variant.threats, scalarizer)
    return RunPlan(
        source=source,
        variant=variant.name,
        sweep=point.values,
        seed=seed,
        dataset=dataset,
        share=share_of(recipe.data),
        augmentation=recipe.augmentation,
        memory=recipe.data.memory,
        model=model,
        training=recipe.training,
        optimizer=recipe.optimizer,
        schedule=recipe.schedule,
        threats=threats,
        scalarizer=scalarizer,
        protocol=protocol,
        document=document,
        losses=losses,
        tags=tuple(recipe.tags),
        notes=recipe.notes,
        start=start,
        conditioned=conditioned_of(variant, scalarizer, source, position),
    )


def _idle_threats(recipe: Recipe) -> list[str]:
    """Return the threats that no variant trains against, though they could be."""
    used = {label for variant in recipe.variant for label in variant.threats}
    tables = recipe.threats.items()
    return [n for n, table in tables if n not in used and (table.train or table.evaluate is None)]
