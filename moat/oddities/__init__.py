"""Oddities of a recipe: valid, rarely intended, and sometimes hours of wasted work."""

from collections.abc import Callable, Iterator

from moat.oddities.budget import days_of_training
from moat.oddities.radii import constant_image_in_ball, radius_beyond_image, step_beyond_radius
from moat.oddities.runs import (
    equal_trainings,
    held_out_was_trained_on,
    nothing_held_out,
    repeated_overrides,
    sweep_of_one_value,
    threats_of_natural_variant,
    unused_threats,
)
from moat.oddities.searches import (
    counted_twice,
    evaluation_weaker_than_training,
    examples_beyond_test_set,
    no_evaluation,
    protocols_within_study,
)
from moat.oddities.training import (
    batch_beyond_data,
    curriculum_beyond_epochs,
    decay_to_nothing,
    loss_of_constant_guess,
    milestones_after_end,
    slow_precision,
    warmup_beyond_epochs,
)
from moat.oddities.view import Amounts, Oddity, StudyView

__all__ = ["LOOKS", "Amounts", "Oddity", "StudyView", "oddities_of"]

LOOKS: tuple[Callable[[StudyView], Iterator[Oddity]], ...] = (
    no_evaluation,
    radius_beyond_image,
    step_beyond_radius,
    constant_image_in_ball,
    evaluation_weaker_than_training,
    warmup_beyond_epochs,
    curriculum_beyond_epochs,
    milestones_after_end,
    decay_to_nothing,
    batch_beyond_data,
    slow_precision,
    loss_of_constant_guess,
    unused_threats,
    threats_of_natural_variant,
    equal_trainings,
    sweep_of_one_value,
    nothing_held_out,
    held_out_was_trained_on,
    counted_twice,
    examples_beyond_test_set,
    protocols_within_study,
    repeated_overrides,
    days_of_training,
)
"""Each looks at one thing, and refuses nothing."""


def oddities_of(view: StudyView) -> list[Oddity]:
    """Return the oddities, each once."""
    return list(dict.fromkeys(oddity for look in LOOKS for oddity in look(view)))
