"""The promise of a scalarizer with `support`: so many objectives have a weight, and no more.

Example:
    >>> from moat.scalarizers import Max
    >>> check_support(Max())
"""

from typing import Any

from moat.annotations import value_in_words
from moat.public import public
from moat.scalarizers import LossScalarizer, Scalarizer
from moat.testing.breach import breach_of
from moat.testing.made_up_training import MadeUpTraining, fresh
from moat.testing.scalarizers import STEPS_CHECKED


@public
def check_support(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Hold the weights of each example to at most `support` that are not 0.

    A training step descends the `support` largest weights of an example and leaves the others out.
    Equal losses and a single example are tried as well. Where `support` is None, or the rule is no
    LossScalarizer, nothing is declared.

    Example:
        >>> from moat.scalarizers import BatchMax
        >>> check_support(BatchMax(), objectives=3)
    """
    if not declares_support(scalarizer):
        return
    support: Any = getattr(scalarizer, "support", None)
    is_count = isinstance(support, int) and not isinstance(support, bool) and support > 0
    assert is_count, breach_of(
        scalarizer,
        f"`support` is {value_in_words(support)}, not None or a whole number of at least 1",
    )
    for training in (
        MadeUpTraining(objectives),
        MadeUpTraining(objectives, equal=True),
        MadeUpTraining(objectives, batch=1),
    ):
        running = fresh(scalarizer)
        for number in range(STEPS_CHECKED):
            seen = training.step(running, number)
            most = int((seen.weights != 0).sum(0).max())
            assert most <= support, breach_of(
                scalarizer,
                f"`support` is {support}, but {most} objectives of an example have a weight, of "
                "which a training step would leave some out. Set support = EVERY_OBJECTIVE "
                "where each may have one, or leave it None",
            )
            running.update(seen.losses)


def declares_support(scalarizer: Scalarizer) -> bool:
    """Say whether a rule limits how many objectives of an example have a weight."""
    return isinstance(scalarizer, LossScalarizer) and scalarizer.support is not None
