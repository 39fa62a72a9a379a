"""The rules of a race among the runs of a recipe: each a point of a variant, or all its points."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moat.errors import FrontError, RecipeError, did_you_mean
from moat.names import NATURAL
from moat.recipe import RunPlan
from moat.recipe.selection import separated
from moat.report.front.objectives import SCORES, threat_title
from moat.report.points import described_type
from moat.report.race.score import RaceScore, require_race_score

OF_NATURAL = ("universal", "sacrificed")
"""The scores that are measured from the natural run of the same seed."""


@dataclass(frozen=True)
class RaceRules:
    """The plans of each rule for one seed, of each variant of a choice, and of the natural runs."""

    rules: dict[str, list[RunPlan]]
    choices: dict[str, list[RunPlan]]
    natural: RunPlan | None
    plans: Sequence[RunPlan]

    @property
    def every(self) -> list[RunPlan]:
        """All plans."""
        return [plan for plans in [*self.rules.values(), *self.choices.values()] for plan in plans]


def rules_of(
    plans: Sequence[RunPlan], names: Sequence[str], choose: Sequence[str], score: RaceScore
) -> RaceRules:
    """Return the rules by their names among the runs of one seed.

    A name is that of a run in tables: "average-at", "pareto r=0.7". Of a hypervolume it may be a
    variant: all its points. Raises RecipeError, or FrontError for a score that these runs lack.
    """
    known = {*(plan.label for plan in plans), *(plan.variant for plan in plans)}
    require_race_score(score, _scores_of(plans[0]), plans[0].protocol.scored())
    rules = {name: _of_rule(plans, name, score) for name in separated(names, known)}
    variants = separated(choose, known)
    choices = {name: _of_choice(plans, name, score) for name in variants}
    asked = [*separated(names, known), *variants]
    if len(set(asked)) < len(asked):
        raise RecipeError("a rule is named twice.", where="rules", hint=f"Given: {_listed(asked)}.")
    for name, of in rules.items():
        if of[0].variant in choices:
            raise RecipeError(
                f"{name!r} is a point of {of[0].variant!r}, of which one is to be chosen.",
                where="rules",
                hint="Leave one of them out.",
            )
    if len(asked) < 2:
        raise RecipeError(
            f"a race needs two rules or more, not {len(asked)}.",
            where="rules",
            hint=f"Name another of {_listed(_others(plans, asked))}; or --choose a variant of "
            "several points, of which the best is raced.",
        )
    found = RaceRules(rules, choices, _natural_of(plans, score), plans)
    _require_one_protocol(found)
    return found


def _require_one_protocol(rules: RaceRules) -> None:
    """Raise RecipeError for runs of several protocols, whose scores cannot be compared."""
    first, *others = [*rules.every, *([rules.natural] if rules.natural else [])]
    for plan in others:
        if plan.protocol_hash != first.protocol_hash:
            raise RecipeError(
                f"{first.label!r} and {plan.label!r} are evaluated by different protocols, and a "
                "race compares scores of one.",
                where="rules",
                hint="Leave one of them out, or the sweep of [evaluation] or of the `evaluate` of "
                "a threat: `moat evaluate` evaluates finished runs by another protocol.",
            )


def shared_by(plans: Sequence[RunPlan]) -> list[str]:
    """Return what runs of one seed have in common, in the words of `moat.report.race.words`."""
    trains = [plan.trains for plan in plans]
    data = [{**of["data"], "batch": of["training"].get("batch_size")} for of in trains]
    draws: dict[str, list[Any]] = {
        "start": [(of["model"], of.get("start")) for of in trains],
        "order of the images": data,
        "augmentation": [of["augmentation"] for of in trains],
        "held-out split": [of["data"] for of in trains],
    }
    return [name for name, each in draws.items() if all(one == each[0] for one in each)]


def _scores_of(plan: RunPlan) -> list[str]:
    """Return the names of the scores that the runs of a recipe have."""
    protocol = plan.protocol
    if protocol.union_only:
        return [NATURAL, "union", "sacrificed"]
    return [*SCORES, *map(threat_title, [*protocol.threats, *protocol.ensembles])]


def _others(plans: Sequence[RunPlan], asked: Sequence[str]) -> list[str]:
    return [label for label in dict.fromkeys(plan.label for plan in plans) if label not in asked]


def _of_rule(plans: Sequence[RunPlan], name: str, score: RaceScore) -> list[RunPlan]:
    found = [plan for plan in plans if name in (plan.label, plan.variant)]
    if not found:
        names = dict.fromkeys([plan.label for plan in plans])
        raise RecipeError(
            f"no rule is called {name!r}.{did_you_mean(name, names)}",
            where="rules",
            hint=f"known: {_listed(list(names))}",
        )
    if len(found) > 1 and not score.is_hypervolume:
        labels = [plan.label for plan in found]
        raise RecipeError(
            f"{name!r} has {len(found)} points, and a rule is one of them.",
            where="rules",
            hint=f"Name one of {_listed(labels)}; or --choose {name}, which races the best on "
            "held-out images; or --score hypervolume, which is of all points.",
        )
    return found


def _of_choice(plans: Sequence[RunPlan], name: str, score: RaceScore) -> list[RunPlan]:
    found = [plan for plan in plans if plan.variant == name]
    if len(found) < 2:
        counts = Counter(plan.variant for plan in plans)
        several = [variant for variant, points in counts.items() if points > 1]
        kind = (
            "a variant of several points, as a sweep, a path or a conditioned network has them"
            if name in {*counts, *(plan.label for plan in plans)}
            else "a variant of this recipe"
        )
        raise RecipeError(
            f"nothing is to be chosen of {name!r}: it is not {kind}.{did_you_mean(name, several)}",
            where="choose",
            hint=f"known: {_listed(several) or 'none in this recipe'}",
        )
    if score.is_hypervolume:
        raise RecipeError(
            "a hypervolume is of all points of a sweep: none is chosen.",
            where="choose",
            hint=f"Name {name!r} as a rule.",
        )
    for plan in found:
        if not plan.share.validation:
            raise RecipeError(
                f"nothing was held out to choose a point of {name!r} on, and test images decide "
                "the race.",
                where="choose",
                hint="Hold some training images out: validation = 0.1 in [data].",
            )
    return found


def _natural_of(plans: Sequence[RunPlan], score: RaceScore) -> RunPlan | None:
    """Return the natural run where the score is measured from it; FrontError without one."""
    if not {score.name, *score.objectives} & {*OF_NATURAL}:
        return None
    for plan in plans:
        if described_type(plan.trains["scalarizer"]) == NATURAL:
            return plan
    raise FrontError(
        f"{score.name} is measured from the natural run of the same seed, and the recipe has none.",
        where="score",
        hint="Race for total or natural: paired differences of these are the same.",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def place_of_rule(plan: RunPlan) -> str:
    """Return the folder of a rule's runs within their study, without a seed."""
    return plan.path.parent.relative_to(plan.study).as_posix()
