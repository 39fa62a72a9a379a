"""The number of images forwarded for an example in a descent, its losses' partners included."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moat.threats import Spent
from moat.training.objective_losses import LossTable, objective_losses, partner_of


@dataclass(frozen=True)
class Partners:
    """The partner of each objective's loss by number, or None.

    `shares` are the planned shares of the examples for each objective. If an objective is planned
    for all, one forward of its images serves every loss that uses them; otherwise no forward is
    counted as shared.

    Example:
        >>> partners = Partners((None, 0, 0), (1.0, 1.0, 1.0))
        >>> partners.images([1, 2]), partners.needed([1])  # two look at the natural images
        (3, {0, 1})
    """

    numbers: tuple[int | None, ...]
    shares: tuple[float, ...]

    @property
    def planned(self) -> list[int]:
        """The objectives that are planned for any example."""
        return [number for number, share in enumerate(self.shares) if share > 0]

    def of(self, objectives: Iterable[int]) -> set[int]:
        """Return the partners of some objectives."""
        return {n for one in objectives if (n := self.numbers[one]) is not None}

    def needed(self, objectives: Iterable[int]) -> set[int]:
        """Return the objectives whose images some objectives need: these and their partners."""
        return {*objectives} | self.of(objectives)

    def searched(self, number: int) -> float:
        """Return the share of the examples for which an objective's images are needed."""
        looks = [share for n, share in zip(self.numbers, self.shares, strict=True) if n == number]
        return min(1.0, self.shares[number] + sum(looks))

    def images(self, objectives: Sequence[int]) -> float:
        """Return the count of forwarded images for an example measured on some objectives."""
        shared = self.needed([one for one in objectives if self.shares[one] == 1])
        alone = [one for one in objectives if self.shares[one] < 1]
        return len(shared) + self.images_apart(alone)

    def images_apart(self, objectives: Sequence[int]) -> float:
        """Return the same if no two objectives share a pass."""
        return sum(self.shares[one] * (1 + len(self.of([one]))) for one in objectives)

    def under_batch_norm(self, objectives: Sequence[int]) -> Spent:
        """Return the cost of one gradient for each objective, through the forwards of its loss."""
        forwards = self.images(objectives)
        natural = min(1.0, self.searched(0)) if 0 in self.needed(objectives) else 0.0
        looks = [{one} | self.of([one]) for one in objectives]
        backwards = sum(
            natural * (0 in seen) + (forwards - natural) * bool(seen - {0}) for seen in looks
        )
        return Spent(forwards, backwards)


def partners_among(losses: LossTable, names: Sequence[str], shares: Sequence[float]) -> Partners:
    """Return the partners of the objectives' losses."""
    found = [partner_of(loss) for loss in objective_losses(losses, names)]
    numbers = tuple(None if name is None else names.index(name) for name in found)
    return Partners(numbers, tuple(shares))
