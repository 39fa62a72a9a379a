"""From weights by example to the images that need a backward pass."""

from dataclasses import replace

import torch
from torch import Tensor

from moat.objectives import by_entry
from moat.training.craft import Examples


def images_with_weight(
    examples: Examples, weights: Tensor, support: int | None
) -> tuple[Examples, list[Tensor]]:
    """Return the images with a weight, and their weights, an objective at a time.

    `weights` are (objectives,) or (objectives, batch); with `support`, at most so many of an
    example are not zero.
    """
    one_batch = weights.ndim == 1  # of one objective, where the support is 1: the natural, too
    weights = by_entry(weights, examples.batch)
    planned = [number for number, labels in enumerate(examples.labels) if len(labels)]
    complete = all(len(examples.labels[number]) == examples.batch for number in planned)
    if support is not None and support >= len(planned):
        return examples, [weights[number, rows] for number, rows in enumerate(examples.rows)]
    mixed = 0 in planned and not (support == 1 and one_batch)
    if support is None or not complete or mixed:
        return _by_value(examples, weights)
    return _by_rank(examples, weights, planned, support)


def _by_rank(
    examples: Examples, weights: Tensor, planned: list[int], support: int
) -> tuple[Examples, list[Tensor]]:
    """Take the `support` largest weights of each example, zero or not: no value is read.

    Adversarial images alone, or those of one objective, so that a network with batch norm sees
    them in one batch.
    """
    batch = torch.arange(examples.batch, device=weights.device)
    own = weights[planned[0] : planned[-1] + 1] if _adjacent(planned) else weights[planned]
    ranks = own.abs().topk(support, dim=0).indices  # (support, batch)
    images = torch.stack([examples.images[number] for number in planned])[ranks, batch]
    chosen = [part[:0] for part in examples.images]
    labels = [part[:0] for part in examples.labels]
    shares = [weights[number, :0] for number in range(len(weights))]
    chosen[1] = images.flatten(0, 1)
    labels[1] = examples.labels[planned[0]].repeat(support)
    shares[1] = own.gather(0, ranks).flatten()
    kept = replace(examples, images=chosen, labels=labels)
    if (given := examples.example_weights) is not None:
        chosen_weights = [part[:0] for part in given]
        chosen_weights[1] = given[planned[0]].repeat(support)
        kept = replace(kept, example_weights=chosen_weights)
    return kept, shares


def _adjacent(numbers: list[int]) -> bool:
    return numbers == list(range(numbers[0], numbers[-1] + 1))


def _by_value(examples: Examples, weights: Tensor) -> tuple[Examples, list[Tensor]]:
    """Take what has a weight, read from the device."""
    own = [weights[number, rows] for number, rows in enumerate(examples.rows)]
    masks = [weight != 0 for weight in own]

    def pick(parts: list[Tensor]) -> list[Tensor]:
        return [part[mask] for part, mask in zip(parts, masks, strict=True)]

    given = examples.example_weights
    kept = replace(
        examples,
        images=pick(examples.images),
        labels=pick(examples.labels),
        example_weights=None if given is None else pick(given),
    )
    return kept, pick(own)
