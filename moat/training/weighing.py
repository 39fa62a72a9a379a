"""From weights by example to the images that are worth a backward pass."""

from dataclasses import replace

import torch
from torch import Tensor

from moat.training.craft import Examples
from moat.training.terms import ImageSource, Kind, Term, is_same
from moat.transfers import send


def images_with_weight(
    examples: Examples, weights: Tensor, support: int | None
) -> tuple[Examples, list[Tensor]]:
    """Return the images with a weight, and their weights, an objective at a time.

    `weights` are (objectives, batch); with `support`, at most so many of an example are not zero.
    """
    planned = [number for number, labels in enumerate(examples.labels) if len(labels)]
    complete = all(len(examples.labels[number]) == examples.batch for number in planned)
    if support is None or not planned or not complete or 0 in planned:
        return _by_value(examples, weights)
    return _by_rank(examples, weights, planned, min(support, len(planned)))


def _by_rank(
    examples: Examples, weights: Tensor, planned: list[int], support: int
) -> tuple[Examples, list[Tensor]]:
    """Take the `support` largest weights of each example, zero or not: no value is read.

    Adversarial images alone, so that a network with batch norm sees them in one batch. Each rank is
    a list of images of the whole batch, whose losses are of as many kinds as there are.
    """
    batch = torch.arange(examples.batch, device=weights.device)
    own = weights[planned[0] : planned[-1] + 1] if _adjacent(planned) else weights[planned]
    ranks = own.abs().topk(support, dim=0).indices  # (support, batch)
    images = torch.stack([examples.images[number] for number in planned])[ranks, batch]
    kinds, which = _kinds([examples.terms[number] for number in planned], weights.device)
    own_kinds = [None] * support if which is None else list(which[ranks])
    chosen = [
        Term(ImageSource(~rank, images[rank], whole=True), kinds, own_kinds[rank])
        for rank in range(support)
    ]
    first, given = planned[0], examples.example_weights
    kept = replace(
        examples,
        terms=[examples.terms[0], *chosen],  # no natural images
        labels=[examples.labels[0], *[examples.labels[first]] * support],
        example_weights=None if given is None else [given[0], *[given[first]] * support],
    )
    return kept, [weights[0, :0], *own.gather(0, ranks)]


def _kinds(terms: list[Term], device: torch.device) -> tuple[tuple[Kind, ...], Tensor | None]:
    """Return the losses of several objectives, each once, and which of them is whose."""
    kinds: list[Kind] = []
    which = []
    for (kind,) in (term.kinds for term in terms):
        places = [n for n, known in enumerate(kinds) if is_same(known, kind)]
        which.append(places[0] if places else len(kinds))
        kinds += [] if places else [kind]
    return tuple(kinds), send(torch.tensor(which), device) if len(kinds) > 1 else None


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
        terms=[term.picked(mask) for term, mask in zip(examples.terms, masks, strict=True)],
        labels=pick(examples.labels),
        example_weights=None if given is None else pick(given),
    )
    return kept, pick(own)
