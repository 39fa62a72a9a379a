"""One threat of a protocol, searched on one batch."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from moat.evaluation.batch import Batch, Climbed, Keep
from moat.evaluation.protocol import Attempt
from moat.evaluation.search_results import Found, Rows, fetched
from moat.geometry.balls import Ball
from moat.losses import cross_entropy, is_correct
from moat.threats import Climb, SearchedThreat, Threat, Trace
from moat.types import Images, Logits, PerExample, Transform

Places = NDArray[np.bool_]
"""A choice of examples of a batch, on the host."""


def natural_images(batch: Batch) -> tuple[Found, int]:
    """Return what the model makes of the images as they are, and how many answers are not finite.

    It is one column.
    """
    found, logits = Found.nothing(len(batch), 1), batch.natural_logits()
    infinite = (~logits.isfinite().all(1)).double()[None]
    numbers = fetched(torch.cat([_of_logits(logits, batch.labels, first=True), infinite]))
    found.fill(np.arange(len(batch)), [0], numbers[None, :-1])
    return found, int(numbers[-1].sum())


def search_threat(batch: Batch, label: str, standing: Places, natural: Places) -> Found:
    """Return what became of a batch under one threat, a column for each strength and restart.

    `standing` are the examples to be searched; with `union_only` fallen examples leave it from
    one search to the next. `natural` says which images are classified correctly as they are.
    """
    protocol = batch.protocol
    threat, attempts = protocol.threats[label], list(protocol.attempts(label))
    columns = protocol.columns_of(label)
    found = Found.nothing(len(batch), len(columns))

    def keep(rows: Rows, searched: tuple[Attempt, ...], climbed: Climbed) -> None:
        places = [columns.index(column) for one in searched for column in one.columns]
        numbers = [_numbers(climb, trace, protocol.falls == "any") for climb, trace in climbed]
        found.fill(rows, places, fetched(torch.stack(numbers)))

    for group in [[one] for one in attempts] if protocol.union_only else [attempts]:
        if not standing.any():
            break
        rows = np.flatnonzero(standing)
        if isinstance(threat, SearchedThreat):
            batch.climb(label, rows, group, keep)
        else:
            _perturb(batch, label, threat, rows, group, found)
        if protocol.falls == "any":
            places = [columns.index(column) for one in group for column in one.columns]
            wrong = np.flatnonzero(~natural & standing)
            found.outcomes[np.ix_(wrong, np.array(places))] = 0
        if protocol.union_only:
            standing = standing & ~(found.outcomes == 0).any(1)
    return found


def searched_images(batch: Batch, label: str, rows: Rows) -> tuple[Images, Transform | None]:
    """Return what some examples of a batch are turned into at the largest strength.

    By the very searches of the evaluation, but for a threat that searches its own way, which is
    given these examples alone: of the restarts the first that felled an example, or else the last.
    And the w of these images, where the threat has one.
    """
    protocol, threat = batch.protocol, batch.protocol.threats[label]
    last = protocol.columns_of(label)[-1].strength
    shown = batch.examples(rows)[0].clone()
    by: list[Tensor] = []
    undecided = np.arange(len(rows))  # places in `rows`
    for attempt in protocol.attempts(label):
        if attempt.columns[-1].strength != last or not len(undecided):
            continue
        if isinstance(threat, SearchedThreat):
            batch.climb(label, rows[undecided], [attempt], _shown_in(batch, shown, by, rows))
        else:
            x, y = batch.examples(rows[undecided])
            generator = batch.generator(label, attempt)
            shown[batch.places(undecided)] = threat.perturb(batch.model, x, y, generator=generator)
        fell = batch.logits(shown).argmax(1) != batch.examples(rows)[1]
        undecided = undecided[~fell.cpu().numpy()[undecided]]
    return shown, tuple(by) or None


def _shown_in(batch: Batch, shown: Images, by: list[Tensor], rows: Rows) -> Keep:
    """Return what writes the last trace of some rows into images, and its w into blocks."""

    def keep(found: Rows, _: tuple[Attempt, ...], climbed: Climbed) -> None:
        trace = climbed[-1][1]
        places = batch.places(np.searchsorted(rows, found))
        shown[places] = trace.images
        if not by:
            by.extend(block.new_zeros(len(rows), *block.shape[1:]) for block in trace.w)
        for block, part in zip(by, trace.w, strict=True):
            block[places] = part

    return keep


def _numbers(climb: Climb, trace: Trace, any_iterate: bool) -> Tensor:
    """Return a row each for the arrays of `Found`, as they are needed on the host."""
    verdict = trace.stood if any_iterate else trace.correct
    far = reached(climb.balls(climb.x), trace.w)
    rows = (verdict, trace.best, trace.first, trace.last, far, trace.blind)
    return torch.stack([part.double() for part in rows if part is not None])  # all are measured


def _of_logits(logits: Logits, y: Tensor, *, first: bool) -> Tensor:
    """Return the same of an end that is all that is known."""
    loss = cross_entropy(logits, y).double()
    unknown = torch.full_like(loss, torch.nan)
    rows = (is_correct(logits, y).double(), loss, loss if first else unknown, loss)
    return torch.stack([*rows, unknown, torch.zeros_like(loss)])


def reached(balls: tuple[Ball, ...], w: Transform) -> PerExample:
    """Return how far w lies from 0 as a share of the radius, the least over the blocks.

    NaN where no block has a ball.
    """
    if not balls:
        return w[0].new_full((len(w[0]),), torch.nan)
    shares = [ball.length(block) / ball.epsilon for ball, block in zip(balls, w, strict=True)]
    return torch.stack(shares).amin(0)


def _perturb(
    batch: Batch,
    label: str,
    threat: Threat,
    rows: Rows,
    attempts: Sequence[Attempt],
    found: Found,
) -> None:
    """Search with a threat that searches its own way; the end is all that is known."""
    x, y = batch.examples(rows)
    for attempt in attempts:
        generator = batch.generator(label, attempt)
        images = threat.perturb(batch.model, x, y, generator=generator)
        numbers = _of_logits(batch.logits(images), y, first=False)
        place = batch.protocol.columns_of(label).index(attempt.columns[0])
        found.fill(rows, [place], fetched(numbers)[None])
