"""From weights by example to the images that need a backward pass."""

from dataclasses import replace

import torch
from torch import Tensor

from moat.objectives import by_entry
from moat.training.craft import Examples
from moat.training.terms import NATURAL_NUMBER, ImageSource, LossKind, Term, is_same
from moat.transfers import send


def images_with_weight(
    examples: Examples, weights: Tensor, support: int | None
) -> tuple[Examples, list[Tensor]]:
    """Return the images with a weight, and their weights, for each objective.

    `weights` are (objectives,) or (objectives, batch); `support` is the largest number of nonzero
    weights for one example.
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
    them in one batch. Each rank is a list of images of the whole batch, whose losses are of as many
    kinds as there are.
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
    labels, given = examples.labels[planned[0]], examples.example_weights
    heavy = None if given is None else given[planned[0]]
    nothing = Term(ImageSource(NATURAL_NUMBER, images[0, :0], whole=False), ())
    kept = replace(
        examples,
        terms=[nothing, *chosen],  # no images for the natural forward of batch norm
        labels=[labels[:0], *[labels] * support],
        example_weights=None if heavy is None else [heavy[:0], *[heavy] * support],
    )
    return kept, [weights[0, :0], *own.gather(0, ranks)]


def _kinds(terms: list[Term], device: torch.device) -> tuple[tuple[LossKind, ...], Tensor | None]:
    """Return the losses of several objectives, each once, and which of them is whose."""
    kinds: list[LossKind] = []
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
