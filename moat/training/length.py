"""The length of a training: its epochs, or the steps within a budget of passes."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from moat.data import batches_per_epoch
from moat.errors import InputError
from moat.threats import Spent
from moat.training.settings import Training


@dataclass(frozen=True)
class Length:
    """The steps of a training, and the epochs that hold them: the last may be cut.

    Example:
        >>> Length(steps=30, steps_per_epoch=12).epochs
        3
    """

    steps: int
    steps_per_epoch: int

    @property
    def epochs(self) -> int:
        """Return the number of epochs; a cut last epoch counts as one."""
        return -(-self.steps // self.steps_per_epoch)

    @property
    def exact_epochs(self) -> float:
        """Return the number of epochs; a cut last epoch counts by its share of steps."""
        return self.steps / self.steps_per_epoch


def length_of(
    training: Training, examples: int, cost: Spent, key: str = "training.passes"
) -> Length:
    """Return the length of a training on `examples` examples; `cost` is a step's cost for each.

    A budget of passes buys whole steps, as many as it covers. Raises InputError, with the `key` of
    the budget, if it does not cover one.

    Example:
        >>> length_of(Training(passes=114, batch_size=100), examples=1000, cost=Spent(19, 19))
        Length(steps=30, steps_per_epoch=10)
    """
    size = training.batch_size
    per_epoch = batches_per_epoch(examples, size)
    if training.passes is None:
        assert training.epochs is not None  # Training has one of both
        return Length(training.epochs * per_epoch, per_epoch)
    step = Fraction(cost.total).limit_denominator(1 << 20)  # passes an example
    left = Fraction(training.passes).limit_denominator(1 << 20) * examples  # passes
    largest = min(size, examples)
    if left < step * largest:
        least = _rounded_up(step * largest / examples)
        raise InputError(
            f"{training.passes:g} passes for each example do not pay for one step, which takes "
            f"{float(step):.4g} for each of its {largest} examples.",
            hint=f"Set {key} to at least {least}; an epoch takes {float(step):.4g}.",
        )
    last = examples - (per_epoch - 1) * largest  # examples of an epoch's last batch
    an_epoch = step * ((per_epoch - 1) * largest + min(last, largest))
    whole = floor(left / an_epoch)
    rest = min(floor((left - whole * an_epoch) / (step * largest)), per_epoch - 1)
    return Length(whole * per_epoch + rest, per_epoch)


def _rounded_up(value: Fraction) -> str:
    """Return a number that is not smaller, with at most three decimals.

    Example:
        >>> _rounded_up(Fraction(32, 15)), _rounded_up(Fraction(40))
        ('2.134', '40')
    """
    return f"{ceil(1000 * value) / 1000:.10g}"
