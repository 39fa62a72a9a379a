"""The pace of a training: its end and the place in its schedule, by steps or by passes made."""

from dataclasses import dataclass

from moat.threats import Spent
from moat.training.length import Length
from moat.training.settings import Training


@dataclass(frozen=True)
class Pace:
    """The end of a training, and the place in its schedule.

    By steps, both follow from the length. With a budget and steps whose cost changes, `length`
    counts steps at full cost, `full` is the mean passes of one, and both follow from the passes
    made: the schedule moves on by one whenever the passes of a full step are spent.

    Example:
        >>> pace = Pace(Length(steps=10, steps_per_epoch=5), budget=1000.0, full=100.0)
        >>> pace.place(step=7, spent=350.0), pace.steps(step=7, spent=350.0)
        (3, 20)
        >>> pace.is_over(step=19, spent=950.0, next_step=60.0)
        True
    """

    length: Length
    budget: float | None = None  # passes of examples; None by steps
    full: float = 0.0

    def is_over(self, step: int, spent: float, next_step: float) -> bool:
        """Say whether the training ends before a step that takes so many passes at most."""
        if self.budget is None:
            return step >= self.length.steps
        return spent + next_step > self.budget * (1 + 1e-9)

    def place(self, step: int, spent: float) -> int:
        """Return the number of steps that the schedule has made."""
        if self.budget is None:
            return step
        return min(self.length.steps, int(spent / self.full + 1e-9))

    def steps(self, step: int, spent: float) -> int:
        """Return the expected number of steps of the whole training."""
        if self.budget is None:
            return self.length.steps
        return max(step, round(step * self.budget / spent)) if spent else self.length.steps

    def epochs(self, step: int, spent: float) -> int:
        """Return the expected number of epochs of the whole training."""
        return -(-self.steps(step, spent) // self.length.steps_per_epoch)


def cost_changes(training: Training) -> bool:
    """Say whether the cost of a training step is not the same throughout.

    Example:
        >>> cost_changes(Training(epochs=9)), cost_changes(Training(epochs=9, curriculum=4))
        (False, True)
    """
    return any((training.curriculum, training.friendly, training.overfitting))


def pace_of(training: Training, length: Length, examples: int, cost: Spent) -> Pace:
    """Return the pace of a training of this length; `cost` is that of a full step's example."""
    if training.passes is None or not cost_changes(training):
        return Pace(length)
    full = cost.total * examples / length.steps_per_epoch
    return Pace(length, training.passes * examples, full)
