"""Numbers of a training that do nothing, or far too much."""

import math
from collections.abc import Iterator

from moat.data import batches_per_epoch
from moat.oddities.view import Oddity, StudyView
from moat.report.words import some
from moat.scalarizers.two_moment import TwoMoment
from moat.training.schedules import MultiStep


def warmup_beyond_epochs(view: StudyView) -> Iterator[Oddity]:
    """Yield each run whose threats never reach their size, or only at the last step."""
    for plan in view.plans:
        growing, epochs = plan.training.warmup, plan.training.epochs
        if growing >= epochs and plan.threats:
            reach = f"only {epochs / growing:.0%} of" if growing > epochs else "at the last step"
            yield Oddity(
                plan.source.where("training", "warmup"),
                f"threats grow over {growing} epochs, and there are {epochs}: they reach {reach} "
                "their radius.",
                "Lower it, to half of training.epochs, say.",
            )


def milestones_after_end(view: StudyView) -> Iterator[Oddity]:
    """Yield each schedule with milestones that no training reaches."""
    for plan in view.plans:
        schedule, epochs = plan.schedule, plan.training.epochs
        if not isinstance(schedule, MultiStep):
            continue
        if late := [epoch for epoch in schedule.milestones if epoch >= epochs]:
            none = len(late) == len(schedule.milestones)
            yield Oddity(
                plan.source.where("schedule", "milestones"),
                f"{late} are not before the end of training, epoch {epochs}: the learning rate "
                + ("never falls." if none else "does not fall there."),
                "Scale them with training.epochs.",
            )
        if schedule.gamma >= 1:
            grows = "grows" if schedule.gamma > 1 else "stays"
            yield Oddity(
                plan.source.where("schedule", "gamma"),
                f"a factor of {schedule.gamma:g}: the learning rate {grows} at each milestone.",
                "Take one below 1, such as 0.1.",
            )


def decay_to_nothing(view: StudyView) -> Iterator[Oddity]:
    """Yield each optimizer that takes all of a weight away in one step."""
    for plan in view.plans:
        rate, decay = plan.optimizer.lr, plan.optimizer.weight_decay
        if rate * decay >= 1:
            yield Oddity(
                plan.source.where("optimizer", "weight_decay"),
                f"lr * weight_decay is {rate * decay:g}: each step takes all of every weight away.",
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
                f"a line of the log every {every} steps, and an epoch has {steps}: some epochs "
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
                'Take "32-true" there.',
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
        yield Oddity(
            where,
            f"r = {some(sums)} nats {'are' if sums[1:] else 'is'} asked of the robust losses, and "
            f"a constant guess over {classes} classes has {math.log(classes):.3g}: out of reach "
            "once the network learns.",
            "Take a smaller r, or rho, which is always within reach.",
        )
