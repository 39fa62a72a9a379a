"""Validation split and batches, each recreated from its seed at any time."""

from collections.abc import Iterator

import torch

from moat.data.base import Split, as_floats
from moat.errors import DataError
from moat.types import Images, Labels


def hold_out(split: Split, share: float, seed: int) -> tuple[Split, Split | None]:
    """Return (rest, held out): a seeded, stratified share of every class, at least one example.

    Nothing is held out where the share is 0. Raises DataError where a class would be left without
    an example to train on.
    """
    if share == 0:
        return split, None
    generator = torch.Generator().manual_seed(seed)
    held = torch.zeros(len(split), dtype=torch.bool)
    for label in split.labels.unique().tolist():
        members = (split.labels == label).nonzero().squeeze(1).cpu()
        count = max(1, round(share * len(members)))
        if count >= len(members):
            raise DataError(
                f"class {label} has {len(members)} training example(s), too few to hold out "
                f"{share:.0%} for validation.",
                hint="Lower data.validation, or set it to 0.",
            )
        held[members[torch.randperm(len(members), generator=generator)[:count]]] = True
    return split.take((~held).nonzero().squeeze(1)), split.take(held.nonzero().squeeze(1))


def shuffled_batches(
    split: Split, size: int, generator: torch.Generator
) -> Iterator[tuple[Images, Labels]]:
    """Yield every example once, in an order drawn from the generator, as float images.

    The last batch may be smaller, but never a single example where others have more (batch norm
    has no variance of one): that one is left out this time.
    """
    order = torch.randperm(len(split), generator=generator).to(split.images.device)
    for index in order.split(size):
        if len(index) > 1 or len(order) == 1 or size == 1:
            yield as_floats(split.images[index]), split.labels[index]


def batches_in_order(split: Split, size: int) -> Iterator[tuple[Images, Labels]]:
    """Yield the examples in their order, as float images."""
    for start in range(0, len(split), size):
        rows = slice(start, start + size)
        yield as_floats(split.images[rows]), split.labels[rows]


def batches_per_epoch(examples: int, size: int) -> int:
    """Return how many batches `shuffled_batches` yields."""
    full, rest = divmod(examples, size)
    return full + (rest > 1 or (rest == 1 and full == 0))
