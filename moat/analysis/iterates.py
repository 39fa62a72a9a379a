"""The images of a search on some examples: those that an evaluation ends with, or every iterate."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from moat.evaluation.batch import Batch
from moat.evaluation.protocol import Attempt
from moat.evaluation.search_results import Rows
from moat.evaluation.searching import searched_images
from moat.threats import SearchedThreat, Trace, ascend
from moat.types import Transform


@dataclass(frozen=True, eq=False)
class Iterates:
    """The iterates of a search (iterate, example, channel, height, width), and the w of the last.

    `counts` are the iterations up to each: of a search with more than 60, evenly some of them.

    The last iterate is the image that the evaluation's own search ends with, the first its start. A
    threat that is not climbed has the natural image and the result.
    """

    images: Tensor
    w: Transform | None
    counts: tuple[int, ...]


MOST_ITERATES = 60
"""Iterates of a search that are kept at most, beside its start."""


def search_iterates(batch: Batch, label: str, rows: Rows) -> Iterates:
    """Search some examples of a batch again and return every iterate.

    Of several restarts it is the one that `searched_images` shows: the first that felled the
    example, or else the last.
    """
    threat = batch.protocol.threats[label]
    x, y = batch.examples(rows)
    if not isinstance(threat, SearchedThreat):
        images, found_w = searched_images(batch, label, rows)
        return Iterates(torch.stack([x, images]), found_w, (0, 1))
    whole: Tensor | None = None
    w: tuple[Tensor, ...] = ()
    counts: tuple[int, ...] = ()
    for attempt in _at_the_largest(batch, label):
        counts, traces = _traces(batch, label, attempt, rows)
        found = torch.stack([trace.images for trace in traces])
        if whole is None:
            whole, w = found, tuple(block.clone() for block in traces[-1].w)
        else:  # those that no restart felled so far
            stands = batch.logits(whole[-1]).argmax(1) == y
            whole[:, stands] = found[:, stands]
            for block, new in zip(w, traces[-1].w, strict=True):
                block[stands] = new[stands]
    assert whole is not None  # a threat has an attempt
    return Iterates(whole, w, counts)


def _at_the_largest(batch: Batch, label: str) -> Iterator[Attempt]:
    last = batch.protocol.columns_of(label)[-1].strength
    for attempt in batch.protocol.attempts(label):
        if attempt.columns[-1].strength == last:
            yield attempt


def _traces(
    batch: Batch, label: str, attempt: Attempt, rows: Rows
) -> tuple[tuple[int, ...], list[Trace]]:
    """Return counts of iterations, the start first, and a trace for each."""
    x, y = batch.examples(rows)
    climb = batch.climb_of(label, attempt, x, y, rows)
    length = climb.at_steps[-1]
    evenly = np.linspace(0, length, min(length, MOST_ITERATES) + 1).round().astype(int)
    climb = replace(climb, at_steps=tuple(evenly.tolist()))
    until_fallen = batch.protocol.falls == "any"
    (found,) = ascend(batch.model, [climb], batch.room.pass_size, until_fallen=until_fallen)
    traces = [found[count] for count in climb.at_steps]
    if climb.among is not None:
        there = batch.places(rows)
        traces = [_those(trace, there) for trace in traces]
    return climb.at_steps, traces


def _those(trace: Trace, there: Tensor) -> Trace:
    """Return a trace of a whole batch as that of some of its examples."""
    return replace(trace, images=trace.images[there], w=tuple(block[there] for block in trace.w))


def batch_rows(places: Rows, number: int, size: int) -> Rows:
    """Return places in a split as rows of one of its batches, ascending.

    Example:
        >>> batch_rows(np.array([3, 300, 600]), number=1, size=512).tolist()
        [88]
    """
    inside = places[(places >= number * size) & (places < (number + 1) * size)]
    return np.sort(inside) - number * size


def as_bytes(images: Tensor) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Return images in [0, 1] as bytes on the host."""
    return (255 * images.clamp(0, 1)).round().to(torch.uint8).cpu().numpy()
