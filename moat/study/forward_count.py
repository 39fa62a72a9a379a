"""How many images an example takes forward in a descent, where losses look at partners' logits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moat.threats import Spent
from moat.training.objective_losses import LossTable, objective_losses, partner_of


@dataclass(frozen=True)
class Partners:
    """The partner of each objective's loss by number, None of a loss that has none.

    `whole` says which objectives are planned for the whole batch: one forward of its images serves
    all whose losses look at them.

    Example:
        >>> partners = Partners((None, 0, 0), (True, True, True))
        >>> partners.images([1, 2]), partners.needed([1])  # the natural images are looked at by two
        (3, {0, 1})
    """

    numbers: tuple[int | None, ...]
    whole: tuple[bool, ...]

    def of(self, objectives: Iterable[int]) -> set[int]:
        """Return the partners of some objectives."""
        return {n for one in objectives if (n := self.numbers[one]) is not None}

    def needed(self, objectives: Iterable[int]) -> set[int]:
        """Return the objectives whose images some objectives need: their own, and partners."""
        return {*objectives} | self.of(objectives)

    def images(self, objectives: Sequence[int]) -> int:
        """Return how many images go forward for an example that is measured on some objectives."""
        shared = self.needed([one for one in objectives if self.whole[one]])
        alone = [one for one in objectives if not self.whole[one]]
        return len(shared) + self.images_apart(alone)

    def images_apart(self, objectives: Sequence[int]) -> int:
        """Return the same where no two objectives share a pass."""
        return len(objectives) + sum(self.numbers[one] is not None for one in objectives)

    def under_batch_norm(self, objectives: Sequence[int]) -> Spent:
        """Return what one gradient an objective costs, each through the forwards it looks at."""
        adversarial = len(self.needed(objectives) - {0})
        looks = [{one} | self.of([one]) for one in objectives]
        backwards = sum((0 in seen) + adversarial * bool(seen - {0}) for seen in looks)
        return Spent(self.images(objectives), backwards)


def partners_among(losses: LossTable, names: Sequence[str], whole: Sequence[bool]) -> Partners:
    """Return the partners of the objectives' losses."""
    found = [partner_of(loss) for loss in objective_losses(losses, names)]
    numbers = tuple(None if name is None else names.index(name) for name in found)
    return Partners(numbers, tuple(whole))
