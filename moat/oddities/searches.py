"""Evaluations that are weaker than they seem, counted twice, or missing."""

from collections.abc import Iterator
from itertools import combinations

from moat.evaluation import Protocol
from moat.oddities.view import Oddity, StudyView
from moat.recipe import RunPlan
from moat.recipe.plan import described, described_protocol
from moat.threats import SearchedThreat, Threat


def no_evaluation(view: StudyView) -> Iterator[Oddity]:
    """Yield one oddity where nothing is searched in the evaluation."""
    if view.plans and not any(protocol.threats for _, protocol, _ in view.protocols()):
        yield Oddity(
            view.source.where("threats"),
            "no threat has the key `evaluate`: the evaluation covers natural accuracy alone.",
            "Give one evaluate = { at_steps = [10, 20] }, or {}.",
        )


def evaluation_weaker_than_training(view: StudyView) -> Iterator[Oddity]:
    """Yield each threat whose evaluation searches less, or less far, than its training."""
    for plan in view.plans:
        protocol = plan.protocol
        for label in plan.threats.keys() & protocol.threats.keys():
            yield from _weaker(plan, label, protocol)


def counted_twice(view: StudyView) -> Iterator[Oddity]:
    """Yield each threat that is searched, or summed, under two names."""
    for source, protocol, _ in view.protocols():
        about = described_protocol(protocol)["threats"]
        for one, other in combinations(about, 2):
            if about[one] == about[other]:
                yield Oddity(
                    source.where("threats", other),
                    f"its evaluation equals that of {one!r}: the same search, counted twice.",
                    "Leave one of them out.",
                )
        for name, members in protocol.ensembles.items():
            for label in members if name in protocol.summed else ():
                if label in protocol.summed:
                    yield Oddity(
                        source.where("evaluation", "summed"),
                        f"{label!r} is summed twice: alone, and in the ensemble {name!r}.",
                        "Sum the ensembles alone.",
                    )
    for plan in view.plans:
        for one, other in combinations(plan.threats, 2):
            if described(plan.threats[one]) == described(plan.threats[other]):
                yield Oddity(
                    plan.source.where("threats", other),
                    f"{plan.variant!r} trains against it and against {one!r}, which are the same: "
                    "it is searched twice a step.",
                    "Leave one of them out.",
                )


def examples_beyond_test_set(view: StudyView) -> Iterator[Oddity]:
    """Yield each protocol that asks for more examples than there are to test on."""
    for source, protocol, known in view.protocols():
        asked = protocol.examples
        if known and asked is not None and asked > known.tested:
            yield Oddity(
                source.where("evaluation", "examples"),
                f"{asked:,} examples are requested, but the test set has {known.tested:,}.",
                "Leave it out to use all.",
            )


def protocols_within_study(view: StudyView) -> Iterator[Oddity]:
    """Yield one oddity where the runs of a study are judged in several ways."""
    if len({plan.protocol_hash for plan in view.plans}) > 1:
        yield Oddity(
            view.source.where("variant"),
            "a sweep changes the evaluation: its runs lie on different fronts.",
            "Sweep training settings; for other protocols, use moat evaluate --protocol.",
        )


def _weaker(plan: RunPlan, label: str, protocol: Protocol) -> Iterator[Oddity]:
    trained, judged = plan.threats[label], protocol.threats[label]
    if type(trained) is not type(judged):
        return
    where = plan.source.where("threats", label, "evaluate")
    steps = trained.steps if isinstance(trained, SearchedThreat) else 0
    if (most := max(protocol.steps(label))) < steps and _search(trained) == _search(judged):
        yield Oddity(
            where,
            f"the evaluation searches {most} steps, and training {steps}: robustness may be "
            "overstated.",
            "Evaluate at least as many.",
        )
    largest = max(protocol.reach(label, one) for one in protocol.attempts(label))
    own, radius = trained.radius or 0.0, largest * (judged.radius or 0.0)
    if 0 < radius < own * (1 - 1e-6):
        yield Oddity(
            where,
            f"the evaluation searches a radius of {radius:g}, and training one of {own:g}.",
            "Evaluate the larger one as well, by at_epsilon, say.",
        )


def _search(threat: Threat) -> object:
    return getattr(threat, "search", None)
