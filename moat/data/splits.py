"""The training images of a run and its held-out ones: seeded, class by class."""

from dataclasses import dataclass

import torch
from torch import Tensor

from moat.data.base import Split
from moat.errors import DataError
from moat.public import public
from moat.randomness import generator_of
from moat.types import Labels


@public
@dataclass(frozen=True)
class TrainingShare:
    """The part of the training split for a recipe: a sample, and a held-out share of it.

    Example:
        >>> from moat.data import Digits
        >>> trained, held_out = TrainingShare(validation=0.1).of(Digits().load().train)
        >>> len(trained) + len(held_out)
        1438
    """

    train_examples: int | None = None
    validation: float = 0.0
    split_seed: int = 0

    def of(self, split: Split) -> tuple[Split, Split | None]:
        """Return (trained on, held out). Raises DataError if the split is too small for it."""
        if self.train_examples is not None:
            split = sample(split, self.train_examples, self.split_seed)
        return hold_out(split, self.validation, self.split_seed)


@public
def sample(split: Split, count: int, seed: int) -> Split:
    """Return a number of examples, every class by its share, as nearly as whole numbers allow.

    With one seed a smaller sample is part of a larger one. Raises DataError where there are fewer.

    Example:
        >>> from moat.data import Digits
        >>> len(sample(Digits().load().train, 100, seed=0))
        100
    """
    if count > len(split):
        raise DataError(
            f"{count:,} training examples are requested, but there are only {len(split):,}.",
            hint="Lower data.train_examples, or leave it out to use all.",
        )
    return split.take(stratified(split.labels, count, seed))


@public
def stratified(labels: Labels, count: int, seed: int) -> Tensor:
    """Return the positions of a number of examples, ascending, every class by its share.

    With one seed, a smaller number is part of a larger one. A number above the total returns all.

    Example:
        >>> torch.bincount(torch.arange(4) % 2)[stratified(torch.arange(4) % 2, 2, seed=0) % 2]
        tensor([2, 2])
    """
    generator = generator_of(seed)
    order = torch.randperm(len(labels), generator=generator, device="cpu")
    labels = labels.cpu()[order]
    depth = torch.empty(
        len(labels), dtype=torch.float64, device="cpu"
    )  # how far into its class, in (0, 1]
    for label in labels.unique():
        members = labels == label
        size = int(members.sum())
        depth[members] = torch.arange(1, size + 1, dtype=torch.float64, device="cpu") / size
    return order[depth.argsort(stable=True)[:count]].sort().values


@public
def hold_out(split: Split, share: float, seed: int) -> tuple[Split, Split | None]:
    """Return (rest, held out): a seeded, stratified share of every class, at least one example.

    A share of 0 holds out no example. Raises DataError if a class would have no example left for
    training.

    Example:
        >>> from moat.data import Digits
        >>> rest, held_out = hold_out(Digits().load().train, 0.1, seed=0)
        >>> len(rest) + len(held_out)
        1438
    """
    if share == 0:
        return split, None
    generator = generator_of(seed)
    held = torch.zeros(len(split), dtype=torch.bool, device="cpu")
    for label in split.labels.unique().tolist():
        members = (split.labels == label).nonzero().squeeze(1).cpu()
        count = max(1, round(share * len(members)))
        if count >= len(members):
            raise DataError(
                f"class {label} has {len(members)} training example(s), too few to hold out "
                f"{share:.0%} for validation.",
                hint="Lower data.validation, or set it to 0.",
            )
        held[members[torch.randperm(len(members), generator=generator, device="cpu")[:count]]] = (
            True
        )
    return split.take((~held).nonzero().squeeze(1)), split.take(held.nonzero().squeeze(1))
