"""One threat of a protocol, searched on one batch."""

from dataclasses import replace
from hashlib import sha256

import torch
from torch import Tensor, nn

from moat.evaluation.found import Found
from moat.evaluation.protocol import Attempt, Protocol
from moat.geometry.balls import Ball
from moat.losses import cross_entropy, is_correct
from moat.threats import Climb, SearchedThreat, Threat, Trace, ascend, attacked
from moat.types import Images, Labels, Logits, PerExample, Transform, Verdicts


def natural_images(model: nn.Module, x: Images, y: Labels, pass_size: int) -> Found:
    """Return what the model makes of the images as they are: one column."""
    logits = _logits(model, x, pass_size)
    found, rows = Found.nothing(len(x), 1), torch.arange(len(x))
    loss = cross_entropy(logits, y)
    numbers = {"outcomes": is_correct(logits, y), "losses": loss, "first": loss, "last": loss}
    found.fill(rows, 0, numbers)
    return found


def search_threat(
    model: nn.Module,
    x: Images,
    y: Labels,
    label: str,
    protocol: Protocol,
    *,
    batch: int,
    standing: Verdicts,
    natural: Verdicts,
    pass_size: int,
) -> Found:
    """Return what became of a batch under one threat, a column a strength and restart.

    `standing` are the examples to be searched; with `union_only` whoever falls leaves it from one
    search to the next. `natural` says which images are classified correctly as they are.
    """
    threat, attempts = protocol.threats[label], list(protocol.attempts(label))
    found = Found.nothing(len(x), len(protocol.columns_of(label)))
    for group in [[one] for one in attempts] if protocol.union_only else [attempts]:
        if not bool(standing.any()):
            break
        drawn = [_generator(protocol.seed, label, one.restart, batch) for one in group]
        place = protocol.columns_of(label).index(group[0].columns[0])
        if isinstance(threat, SearchedThreat):
            climbs = [
                _climb(threat, x, y, one, generator, standing)
                for one, generator in zip(group, drawn, strict=True)
            ]
            any_iterate = protocol.falls == "any"
            searched = ascend(model, climbs, pass_size, until_fallen=any_iterate)
            traces = [
                (climb, traces[count])
                for climb, traces in zip(climbs, searched, strict=True)
                for count in climb.at_steps
            ]
            for column, (climb, trace) in enumerate(traces, place):
                verdict = trace.stood if any_iterate else trace.correct
                assert verdict is not None  # ascend measures unless told otherwise
                _fill(found, column, climb, trace, standing, verdict)
        else:
            for column, generator in enumerate(drawn, place):
                _perturb(found, column, model, threat, x, y, standing, generator, pass_size)
        if protocol.falls == "any":
            wrong = ~natural.cpu().numpy() & standing.cpu().numpy()
            found.outcomes[wrong, place : place + sum(len(one.columns) for one in group)] = 0
        if protocol.union_only:
            fell = torch.from_numpy((found.outcomes == 0).any(1)).to(standing.device)
            standing = standing & ~fell
    return found


def searched_images(
    model: nn.Module,
    x: Images,
    y: Labels,
    label: str,
    protocol: Protocol,
    among: Verdicts,
    pass_size: int,
) -> tuple[Images, Transform | None]:
    """Return what some examples of the first batch are turned into at the largest strength.

    By the very searches of the evaluation, but for a threat that searches its own way, which is
    given these examples alone: of the restarts the first that felled an example, or else the last.
    And the w of these images, where the threat has one.
    """
    threat, last = protocol.threats[label], protocol.columns_of(label)[-1].strength
    shown, by = x.clone(), None
    undecided = among
    for attempt in protocol.attempts(label):
        if attempt.columns[-1].strength != last:
            continue
        generator = _generator(protocol.seed, label, attempt.restart, 0)
        w: Transform | None = None
        if isinstance(threat, SearchedThreat):
            climb = _climb(threat, x, y, attempt, generator, undecided)
            any_iterate = protocol.falls == "any"
            (traces,) = ascend(model, [climb], pass_size, until_fallen=any_iterate)
            images, w = traces[climb.at_steps[-1]].images, traces[climb.at_steps[-1]].w
        else:
            rows = undecided.nonzero().squeeze(1)
            images = x.clone()
            images[rows] = threat.perturb(model, x[rows], y[rows], generator=generator)
        shown[undecided] = images[undecided]
        if w is not None:
            by = (
                w
                if by is None
                else tuple(_replaced(*pair, undecided) for pair in zip(by, w, strict=True))
            )
        fell = predicted(model, images, pass_size) != y
        undecided = undecided & ~fell
        if not bool(undecided.any()):
            break
    return shown, by


def _replaced(old: Tensor, new: Tensor, where: Verdicts) -> Tensor:
    return torch.where(where.view(-1, *[1] * (old.ndim - 1)), new, old)


def predicted(model: nn.Module, x: Images, pass_size: int) -> Labels:
    """Return the classes that images are taken for."""
    return _logits(model, x, pass_size).argmax(1)


def _climb(
    threat: SearchedThreat,
    x: Images,
    y: Labels,
    attempt: Attempt,
    generator: torch.Generator,
    standing: Verdicts,
) -> Climb:
    """Return one search of a batch: all draw their start, and those that stand climb."""
    counts = tuple(int(column.strength) for column in attempt.columns)
    own = getattr(threat, "epsilon", None)
    reach = 1.0 if attempt.epsilon is None or own is None else attempt.epsilon / own
    climb = threat.climb(
        *(x, y),
        at_steps=(threat.steps,) if attempt.epsilon is not None else counts,
        generator=generator,
        reach=reach,
        rank=attempt.restart + 1,
    )
    return replace(climb, among=standing)


def _fill(
    found: Found, column: int, climb: Climb, trace: Trace, standing: Verdicts, verdict: Verdicts
) -> None:
    rows = standing.nonzero().squeeze(1)
    numbers = {
        "outcomes": verdict,
        "losses": trace.best,
        "first": trace.first,
        "last": trace.last,
        "reached": reached(climb.balls(climb.x), trace.w),
        "blind": trace.blind,
    }
    found.fill(rows, column, {n: part[rows] for n, part in numbers.items() if part is not None})


def reached(balls: tuple[Ball, ...], w: Transform) -> PerExample:
    """Return how far w lies from 0 as a share of the radius, the least over the blocks.

    NaN where no block has a ball.
    """
    if not balls:
        return torch.full((len(w[0]),), torch.nan)
    shares = [ball.length(block) / ball.epsilon for ball, block in zip(balls, w, strict=True)]
    return torch.stack(shares).amin(0)


def _perturb(
    found: Found,
    column: int,
    model: nn.Module,
    threat: Threat,
    x: Images,
    y: Labels,
    standing: Verdicts,
    generator: torch.Generator,
    pass_size: int,
) -> None:
    """Search with a threat that searches its own way; the end is all that is known."""
    rows = standing.nonzero().squeeze(1)
    images = threat.perturb(model, x[rows], y[rows], generator=generator)
    logits = _logits(model, images, pass_size)
    loss = cross_entropy(logits, y[rows])
    numbers = {"outcomes": is_correct(logits, y[rows]), "losses": loss, "last": loss}
    found.fill(rows, column, numbers)


def _generator(seed: int, label: str, restart: int, batch: int) -> torch.Generator:
    """Return a search's own generator, so that no other search changes what it draws."""
    digest = sha256(f"{seed}/{label}/{restart}/{batch}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))


def _logits(model: nn.Module, x: Images, pass_size: int) -> Logits:
    with attacked(model), torch.no_grad():
        return torch.cat([model(part) for part in x.split(pass_size)])
