"""Tables and runs of a recipe without effect."""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import torch

from moat.errors import MoatError
from moat.names import NATURAL
from moat.oddities.view import Oddity, StudyView
from moat.recipe import RunPlan, plan_runs, read
from moat.recipe.length import BUDGET_KEY, LENGTHS, PASSES

_DRAWS = 64
"""Steps that a scalarizer which draws is asked for, to see what it ever searches."""


def unused_threats(view: StudyView) -> Iterator[Oddity]:
    """Yield each threat of the recipe's own file that no run trains on, and none is judged by."""
    if (recipe := view.recipe) is None:
        return
    own = view.source.said_in.get(())
    used = {label for variant in recipe.variant for label in variant.threats}
    for label, table in recipe.threats.items():
        said = view.source.said_in.get(("threats", label), "")
        if label in used or table.evaluate is not None or said not in (own, *_settings(view)):
            continue  # a base's are there for the recipes that extend it
        yield Oddity(
            view.source.where("threats", label),
            "it is neither trained against nor evaluated.",
            f"Name it in a variant's threats, give it evaluate = {{}}, or leave [threats.{label}] "
            "out.",
        )


def threats_of_natural_variant(view: StudyView) -> Iterator[Oddity]:
    """Yield each variant that names threats, and whose scalarizer asks for none in any run."""
    training = {plan.variant for plan in view.plans if plan.threats and _asks_for_threats(plan)}
    for plan in view.plans:
        if plan.threats and plan.variant not in training:
            yield Oddity(
                view.where(plan, "threats"),
                f"the scalarizer {plan.scalarizer.name!r} searches no threat: the variant does "
                f"not train against {', '.join(plan.threats)}.",
                'Leave the threats out, or use another scalarizer, such as "average".',
            )


def equal_trainings(view: StudyView) -> Iterator[Oddity]:
    """Yield each setting that trains exactly what another one trains."""
    first: dict[str, RunPlan] = {}
    for plan in view.plans:
        other = first.setdefault(plan.train_hash, plan)
        if other is not plan:
            yield Oddity(
                view.where(plan),
                f"{plan.label!r} trains exactly what {other.label!r} trains.",
                "Leave one of them out, or sweep a key that changes its training."
                if plan.variant == other.variant
                else "Leave one of them out.",
            )


def sweep_of_one_value(view: StudyView) -> Iterator[Oddity]:
    """Yield each sweep or path of a study that has one value; a run's own recipe has such."""
    if (recipe := view.recipe) is None or len(recipe.variant) == 1 == len(recipe.seeds):
        return
    for position, variant in enumerate(recipe.variant):
        swept = [("sweep", *item) for item in variant.sweep.items()]
        for table, key, values in [*swept, *(("path", *item) for item in variant.path.items())]:
            if len(values) == 1:
                yield Oddity(
                    view.source.where("variant", position, table, key),
                    f"a {table} of one value.",
                    "Add values, or write the key into its table.",
                )


def nothing_held_out(view: StudyView) -> Iterator[Oddity]:
    """Yield one oddity where values are swept and no held-out images could choose among them."""
    unsaid = ("data", "validation") not in view.source.said_in
    points = {(plan.variant, plan.label) for plan in view.plans}
    if unsaid and len(points) > len({variant for variant, _ in points}):
        yield Oddity(
            view.source.where("data", "validation"),
            "without held-out examples, only test images could decide on a value of the sweep.",
            "Set it to 0.1, or to 0.0 to accept that.",
        )


def held_out_was_trained_on(view: StudyView) -> Iterator[Oddity]:
    """Yield each run that starts from one that may have trained on its held-out images."""
    known = {plan.path: plan for plan in view.plans}
    for plan in view.plans:
        if plan.start is None or not plan.share.validation:
            continue
        before = known.get(plan.start.place) or _run_at(plan.start.place)
        if before and before.dataset == plan.dataset and before.share != plan.share:
            yield Oddity(
                plan.source.where("data"),
                f"{plan.label!r} starts from a run with another split of these data, which may "
                "have been trained on the held-out images of this run: no choice can "
                "rest on them.",
                "Set validation, train_examples and split_seed to those of that run.",
            )


def repeated_overrides(view: StudyView) -> Iterator[Oddity]:
    """Yield each `--set` whose key a later one sets again."""
    keys = [_key(text) for text in view.source.overrides]
    for number, key in enumerate(keys):
        later = keys[number + 1 :]
        again = [n for n, other in enumerate(later, number + 1) if key[: len(other)] == other]
        if again:
            yield Oddity(
                f"--set {shlex.quote(view.source.overrides[number])}",
                "a later --set sets the same key or replaces it, and the last one counts: "
                f"{view.source.overrides[again[-1]]}.",
                "Leave one of them out; both are part of the study's name.",
            )


def _asks_for_threats(plan: RunPlan) -> bool:
    names, generator = (NATURAL, *plan.threats), torch.Generator().manual_seed(0)
    with suppress(Exception):  # a plug-in's, which its run will say
        rule = deepcopy(plan.scalarizer)  # what it draws here is not missing in training
        return any(bool(rule.plan(names, 2, generator)[1:].any()) for _ in range(_DRAWS))
    return True


def _run_at(place: Path) -> RunPlan | None:
    """Return the plan of the run in a folder; None of a file of weights, or without a recipe."""
    with suppress(MoatError):
        if (place / "recipe.toml").is_file():
            return plan_runs(read(place / "recipe.toml"))[0]
    return None


def _settings(view: StudyView) -> list[str]:
    return [f"--set {text}" for text in view.source.overrides]


def _key(text: str) -> list[str]:
    key = [part.strip() for part in text.partition("=")[0].split(".")]
    lengths = (*(["training", name] for name in LENGTHS), [*BUDGET_KEY])
    return [*PASSES] if key in lengths else key  # of the lengths, one replaces the other
