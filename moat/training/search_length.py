"""The number of iterations over a training, and the checks of settings that change it."""

from collections.abc import Mapping

from moat.errors import InputError
from moat.scalarizers import RandomPreference, Scalarizer
from moat.threats import GradientThreat, Threat, steps_at
from moat.training.settings import Training


def growth_at(training: Training, step: int, steps_per_epoch: int) -> float:
    """Return how far the number of iterations has grown at a training step, counted from 0.

    Example:
        >>> training = Training(epochs=9, curriculum=4)
        >>> [growth_at(training, step, steps_per_epoch=10) for step in (0, 20, 60)]
        [0.0, 0.5, 1.0]
    """
    if training.curriculum is None:
        return 1.0
    return min(1.0, step / (training.curriculum * steps_per_epoch))


def mean_steps(training: Training, steps: int, epochs: float, steps_per_epoch: int = 100) -> float:
    """Return the mean number of iterations of a search over a training.

    Example:
        >>> mean_steps(Training(epochs=8, curriculum=4), steps=5, epochs=8)
        3.75
    """
    if training.curriculum is None:
        return steps
    count = max(1, round(epochs * steps_per_epoch))
    growing = (growth_at(training, step, steps_per_epoch) for step in range(count))
    return sum(steps_at(steps, growth) for growth in growing) / count


def require_searches(
    training: Training, threats: Mapping[str, Threat], scalarizer: Scalarizer | None = None
) -> None:
    """Raise InputError for a setting of shorter searches that this training cannot follow.

    Without threats there is no search, and nothing to refuse.
    """
    if not threats:
        return
    for key in ("curriculum", "friendly"):
        if getattr(training, key) is not None:
            _require_iterations(key, threats)
    searched = {n: one for n, one in threats.items() if isinstance(one, GradientThreat)}
    most = max((one.steps for one in searched.values()), default=0)
    named = ", ".join(map(repr, threats))
    if training.curriculum is not None and most < 2:
        raise InputError(
            f"a curriculum needs searches with several steps, and those of {named} have one.",
            "training.curriculum",
            "Raise the threats' train.steps, or leave training.curriculum out.",
        )
    if (friendly := training.friendly) and most < friendly.after + 2:
        raise InputError(
            f"the searches of {named} have at most {most} step{'s' * (most > 1)}, and with "
            f"after = {friendly.after} an example that has fallen leaves after "
            f"{friendly.after + 1} at the earliest, so that no pass is saved.",
            "training.friendly",
            "Raise the threats' train.steps, or leave training.friendly out.",
        )
    if training.overfitting and isinstance(scalarizer, RandomPreference):
        raise InputError(
            "a network that is trained for drawn preferences has an accuracy for each, and the "
            "watch takes one.",
            "training.overfitting",
            "Leave the table out, or train the variant in a recipe without it.",
        )
    if training.overfitting:
        _require_watch(training, searched, named)


def _require_iterations(key: str, threats: Mapping[str, Threat]) -> None:
    what = {
        "curriculum": "whose number could grow",
        "friendly": "that a fallen example could leave",
    }
    for label, one in threats.items():
        if not isinstance(one, GradientThreat):
            raise InputError(
                f"the threat {label!r} ({type(one).__name__}) has no iterations {what[key]}: "
                "it is not climbed by gradient steps of moat's.",
                f"training.{key}",
                "Train against it in a recipe of its own, or leave the key out.",
            )


def _require_watch(training: Training, searched: Mapping[str, GradientThreat], named: str) -> None:
    settings = training.overfitting
    assert settings is not None
    first = {n: 1 if training.curriculum else one.steps for n, one in searched.items()}
    watched = [steps for steps in first.values() if steps < settings.steps]
    if not watched:
        raise InputError(
            f"no search of {named} has fewer than overfitting.steps = {settings.steps} steps, so "
            "that there is nothing to compare.",
            "training.overfitting",
            "Raise overfitting.steps, or leave the table out.",
        )
    if settings.switch is not None and settings.switch <= min(watched):
        raise InputError(
            f"overfitting.switch = {settings.switch} does not exceed the {min(watched)} step"
            f"{'s' * (min(watched) > 1)} of the searches.",
            "training.overfitting",
            f"Set it to at least {min(watched) + 1}.",
        )
