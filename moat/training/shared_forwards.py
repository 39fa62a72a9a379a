"""Shared passes of images whose losses use each other's logits.

The images of the whole batch go forward once in a pass, however many losses use them. Under batch
norm the natural images have a forward of their own, and the adversarial ones share another.
"""

from collections.abc import Sequence

import torch
from torch import nn

from moat.passes import Pass, Segment, cut
from moat.training.terms import NATURAL_NUMBER, ImageSource, Term, TermLogits
from moat.types import Logits

_Key = tuple[int, int, int]


def linked_passes(
    terms: Sequence[Term], pass_size: int, *, apart: bool = False, whole: bool = False
) -> list[Pass]:
    """Cut images into passes of at most `pass_size`, or of one image with all its partners.

    `apart`: no two objectives share a pass. `whole`: nothing is cut, as batch norm requires.
    """
    lengths = [len(term.own.images) for term in terms]
    groups = _sides(terms) if whole else _groups(terms, apart=apart)
    if whole:
        return [[Segment(slot, 0, lengths[slot]) for slot in group] for group in groups]
    passes, plain = [], [0] * len(terms)
    for group in groups:
        count, length = _images_a_row(terms, group), lengths[group[0]]
        if count == 1 and not apart:
            plain[group[0]] = length
            continue
        rows = max(1, pass_size // count)
        for start in range(0, length, rows):
            stop = min(length, start + rows)
            passes.append([Segment(slot, start, stop) for slot in group])
    return [*cut(plain, pass_size), *passes]


def answers_of(
    model: nn.Module, terms: Sequence[Term], segments: Pass, *, sides: bool
) -> list[TermLogits]:
    """Return the logits of each segment, and of its partners.

    `sides`: the natural images have a forward of their own.
    """
    images: dict[_Key, torch.Tensor] = {}

    def key_of(source: ImageSource, slot: int, place: int) -> _Key:
        """Return a key for a source's images; those of the whole batch have one for all losses."""
        segment, number = segments[slot], source.number
        key = (number, segment.start, segment.stop) if source.whole else (number, ~slot, place)
        images.setdefault(key, source.images[segment.rows])
        return key

    keys = [
        (
            key_of(term.own, slot, 0),
            [k.partner and key_of(k.partner, slot, n) for n, k in enumerate(term.kinds, 1)],
        )
        for slot, term in enumerate(terms)
    ]
    logits: dict[_Key, Logits] = {}
    natural = [key for key in images if key[0] == NATURAL_NUMBER]
    others = [key for key in images if key[0] != NATURAL_NUMBER]
    for together in [natural, others] if sides else [list(images)]:
        if together:
            found = model(torch.cat([images[key] for key in together]))
            parts = found.split([len(images[key]) for key in together])
            logits |= dict(zip(together, parts, strict=True))
    return [TermLogits(logits[own], [key and logits[key] for key in more]) for own, more in keys]


def _groups(terms: Sequence[Term], *, apart: bool) -> list[list[int]]:
    """Group the lists of images by what they look at; an empty list is in no group.

    Images that are not of the whole batch are not shared, and stand alone.
    """
    groups: list[tuple[set[int], list[int]]] = []
    for slot, term in enumerate(terms):
        if not len(term.own.images):
            continue
        numbers = {source.number for source in term.sources() if source.whole and not apart}
        linked = [group for group in groups if group[0] & numbers]
        groups = [group for group in groups if not group[0] & numbers]
        numbers = numbers.union(*(found for found, _ in linked))
        slots = [one for _, found in linked for one in found]
        groups.append((numbers, [*slots, slot]))
    return [slots for _, slots in groups]


def _images_a_row(terms: Sequence[Term], group: Sequence[int]) -> int:
    """Return how many images go forward for an example of a group."""
    sources = [source for slot in group for source in terms[slot].sources()]
    shared = {source.number for source in sources if source.whole}
    return len(shared) + sum(not source.whole for source in sources)


def _sides(terms: Sequence[Term]) -> list[list[int]]:
    """Return the natural and the adversarial images, or both as one where a loss looks across."""
    slots = [slot for slot, term in enumerate(terms) if len(term.own.images)]
    sides: tuple[list[int], list[int]] = ([], [])
    across = False
    for slot in slots:
        numbers = {source.number == NATURAL_NUMBER for source in terms[slot].sources()}
        across |= len(numbers) > 1
        sides[terms[slot].own.number != NATURAL_NUMBER].append(slot)
    return [slots] if across else [side for side in sides if side]
