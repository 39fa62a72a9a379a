"""Numbers of a training with no effect, or with far too much."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from moat.data import batches_per_epoch
from moat.errors import InputError
from moat.oddities.view import Oddity, StudyView
from moat.recipe import RunPlan
from moat.report.words import some
from moat.scalarizers.two_moment import TwoMoment
from moat.training.length import length_of
from moat.training.schedules import MultiStep
from moat.training.step_cost import step_cost


def _epochs_of(plan: RunPlan, view: StudyView) -> float | None:
    """Return the epochs of a run; None where they follow from passes and its data is not known."""
    if plan.training.epochs is not None:
        return plan.training.epochs
    if (known := view.amounts.get(plan.path)) is None:
        return None
    search, descent = step_cost(
        plan.threats, plan.scalarizer, losses=plan.losses, classes=known.classes
    )
    with suppress(InputError):  # a budget too small for a step, which the run says
        return length_of(plan.training, known.trained, search.plus(descent)).exact_epochs
    return None


def warmup_beyond_epochs(view: StudyView) -> Iterator[Oddity]:
    """Yield each run whose threats never reach their size, or only at the last step."""
    for plan in view.plans:
        growing, epochs = plan.training.warmup, _epochs_of(plan, view)
        if epochs is not None and growing >= epochs and plan.threats:
            reach = f"only {epochs / growing:.0%} of" if growing > epochs else "at the last step"
            yield Oddity(
                plan.source.where("training", "warmup"),
                f"threats grow over {growing} epochs, and there are {epochs:.4g}: they reach "
                f"{reach} their radius.",
                "Lower it, to half of the epochs, say.",
            )


def curriculum_beyond_epochs(view: StudyView) -> Iterator[Oddity]:
    """Yield each run whose searches never have all their steps."""
    for plan in view.plans:
        growing, epochs = plan.training.curriculum, plan.training.epochs
        if growing is not None and epochs is not None and growing >= epochs and plan.threats:
            yield Oddity(
                plan.source.where("training", "curriculum"),
                f"the searches grow over {growing:g} epochs, and there are {epochs:.4g}: they have "
                "all their steps in none.",
                "Lower it, to half of the epochs, say.",
            )


def milestones_after_end(view: StudyView) -> Iterator[Oddity]:
    """Yield each schedule with milestones that no training reaches."""
    for plan in view.plans:
        schedule, epochs = plan.schedule, _epochs_of(plan, view)
        if not isinstance(schedule, MultiStep):
            continue
        epochs = math.inf if epochs is None else epochs
        where = _schedule_of(plan, view)
        if late := [epoch for epoch in schedule.milestones if epoch >= epochs]:
            none = len(late) == len(schedule.milestones)
            yield Oddity(
                where("milestones"),
                f"{late} are not before the end of training, epoch {epochs:.4g}: the learning rate "
                + ("never falls." if none else "does not fall there."),
                "Scale them with the epochs.",
            )
        if schedule.gamma >= 1:
            grows = "grows" if schedule.gamma > 1 else "stays"
            yield Oddity(
                where("gamma"),
                f"a factor of {schedule.gamma:g}: the learning rate {grows} at each milestone.",
                "Use one below 1, such as 0.1.",
            )


def _schedule_of(plan: RunPlan, view: StudyView) -> Callable[[str], str]:
    """Return the place of a key of a run's schedule: the recipe's, or that of a path's legs."""
    is_leg = plan.start is not None and plan.start.training is not None
    legs = plan.document["variant"][0].get("legs", {})
    if is_leg and isinstance(legs, dict) and "schedule" in legs:
        return partial(view.where, plan, "legs", "schedule")
    return partial(plan.source.where, "schedule")


def decay_to_nothing(view: StudyView) -> Iterator[Oddity]:
    """Yield each optimizer that takes all of a weight away in one step."""
    for plan in view.plans:
        rate, decay = plan.optimizer.lr, plan.optimizer.weight_decay
        if rate * decay >= 1:
            yield Oddity(
                plan.source.where("optimizer", "weight_decay"),
                f"lr * weight_decay is {rate * decay:g}: each step removes every weight "
                f"completely.",
                "Usual is a decay of 1e-4 to 1e-2.",
            )


def batch_beyond_data(view: StudyView) -> Iterator[Oddity]:
    """Yield each run whose batch holds more images than there are, and rare lines of its log."""
    for plan in view.plans:
        if (known := view.amounts.get(plan.path)) is None:
            continue
        size, every = plan.training.batch_size, plan.training.log_every
        if size > known.trained:
            yield Oddity(
                plan.source.where("training", "batch_size"),
                f"a batch of {size:,}, and {known.trained:,} images to train on: an epoch is one "
                "step.",
                "Lower it.",
            )
            continue
        if every > (steps := batches_per_epoch(known.trained, size)):
            yield Oddity(
                plan.source.where("training", "log_every"),
                f"the log has a line every {every} steps, and an epoch has {steps}: some epochs "
                "show no losses.",
                f"Lower it to {max(1, steps // 2)}, say.",
            )


def slow_precision(view: StudyView) -> Iterator[Oddity]:
    """Yield each run whose precision is there for a GPU, on a CPU."""
    for plan in view.plans:
        if view.device == "cpu" and plan.training.precision != "32-true":
            slow = "may be many times slower than" if "bf16" in plan.training.precision else "is"
            yield Oddity(
                plan.source.where("training", "precision"),
                f"{plan.training.precision} on a CPU {slow} 32-true.",
                'Use "32-true" there.',
            )


def loss_of_constant_guess(view: StudyView) -> Iterator[Oddity]:
    """Yield each key of a two-moment program that asks for a robust loss of a constant guess."""
    asked: dict[tuple[str, int], list[str]] = {}
    for plan in view.plans:
        rule, known = plan.scalarizer, view.amounts.get(plan.path)
        if not isinstance(rule, TwoMoment) or rule.r is None or known is None:
            continue
        if rule.r >= math.log(known.classes):
            swept = "scalarizer.r" in plan.sweep
            key = ("sweep", "scalarizer.r") if swept else ("scalarizer", "r")
            asked.setdefault((view.where(plan, *key), known.classes), []).append(f"{rule.r:g}")
    for (where, classes), values in asked.items():
        sums = list(dict.fromkeys(values))
        are = "are levels" if sums[1:] else "is the level"
        yield Oddity(
            where,
            f"r = {some(sums)} nats {are} of the robust losses, but a constant guess over "
            f"{classes} classes has {math.log(classes):.3g}: out of reach once the network learns.",
            "Use a smaller r, or rho, which is always within reach.",
        )
