"""The rules of ascent, from an iterate to the next one, for many examples at once.

A search declares its memory of each example (`per_example`), tensors with the batch first, so that
the loop can drop fallen examples. Searches that keep the best iterate report it; the sign search
reports its last, as in the paper.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from moat.geometry.balls import Ball
from moat.types import PerExample, Transform, Verdicts

Balls = Sequence[Ball]


class Search(ABC):
    """The state of one climb, and its rule for the next iterate."""

    follows_gradient: ClassVar[bool] = True
    per_example: ClassVar[tuple[str, ...]] = ()
    """The attributes with a row for each example: tensors, or tuples of tensors."""

    @abstractmethod
    def next(self, w: Transform, loss: PerExample, gradients: Transform, balls: Balls) -> Transform:
        """Return the next iterate; `gradients` is empty for a search that needs none."""

    def see(  # noqa: B027 - what remembers nothing has nothing to note
        self, w: Transform, loss: PerExample, correct: Verdicts, gradients: Transform
    ) -> None:
        """Record a measured iterate, before `next` or at the end; by default, do nothing."""

    def keep(self, rows: Tensor) -> None:
        """Keep only some of the examples, in all attributes of `per_example`."""
        for name in self.per_example:
            held: Tensor | Transform = getattr(self, name)
            kept = held[rows] if isinstance(held, Tensor) else tuple(part[rows] for part in held)
            setattr(self, name, kept)


class SignSearch(Search):
    """Eq. 9: a step of fixed length along the steepest direction, without memory."""

    def next(self, w: Transform, loss: PerExample, gradients: Transform, balls: Balls) -> Transform:
        """Return a step in each ball."""
        parts = zip(balls, w, gradients, strict=True)
        return tuple(ball.step(block, slope) for ball, block, slope in parts)


class BestSearch(Search):
    """A search that keeps and reports its best iterate."""

    per_example: ClassVar[tuple[str, ...]] = ("best", "best_loss", "best_correct", "best_gradient")

    def __init__(self, w: Transform, loss_like: PerExample) -> None:
        self.best = w
        self.best_loss = torch.full_like(loss_like, -torch.inf)
        self.best_correct = torch.ones_like(loss_like, dtype=torch.bool)
        self.best_gradient: Transform = ()

    def see(self, w: Transform, loss: PerExample, correct: Verdicts, gradients: Transform) -> None:
        """Keep iterates that are better than the best; one with a NaN loss is never kept."""
        better = loss > self.best_loss
        self.best = _where(better, w, self.best)
        self.best_loss = torch.where(better, loss, self.best_loss)
        self.best_correct = torch.where(better, correct, self.best_correct)
        if gradients:
            self.best_gradient = _where(better, gradients, self.best_gradient or gradients)


class BestSignSearch(SignSearch, BestSearch):
    """Sign steps; the best iterate is kept."""

    per_example: ClassVar[tuple[str, ...]] = BestSearch.per_example


class APGD(BestSearch):
    """Auto-PGD: steps with momentum, halved for each example when they stop helping.

    The first steps are twice the radius. At checkpoints, ever closer together, an example whose
    loss rose in fewer than three of four steps, or whose best did not improve since the last
    checkpoint (unless its step was halved there), continues from its best iterate with half the
    step. The blocks of one threat share the halvings; a step in each is as long as its own ball is
    wide.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness, 2020, Section 3.
    """

    per_example: ClassVar[tuple[str, ...]] = (
        *BestSearch.per_example,
        "previous",
        "previous_loss",
        "share",
        "rises",
        "checked_loss",
        "was_halved",
    )
    MOMENTUM = 0.25
    RISES = 0.75  # share of the steps since the last checkpoint

    def __init__(self, w: Transform, loss_like: PerExample, steps: int) -> None:
        super().__init__(w, loss_like)
        self.steps = steps
        self.done = self.since = 0
        self.period = max(int(0.22 * steps), 1)
        self.previous, self.previous_loss = w, loss_like
        self.share = torch.ones_like(loss_like)
        self.rises = torch.zeros_like(loss_like)
        self.checked_loss = torch.full_like(loss_like, -torch.inf)
        self.was_halved = torch.ones_like(loss_like, dtype=torch.bool)

    def next(self, w: Transform, loss: PerExample, gradients: Transform, balls: Balls) -> Transform:
        """Return a step along the gradient with momentum; steps that are due are first halved."""
        if self.done == 0:
            self.checked_loss = self.best_loss
        else:
            self.rises = self.rises + (loss > self.previous_loss)
            self.since += 1
        if self.since == self.period:
            halved = self._check()
            w = _where(halved, self.best, w)
            gradients = _where(halved, self.best_gradient, gradients)
        follow = self.MOMENTUM if self.done else 0.0
        moved = []
        for ball, block, slope, before in zip(balls, w, gradients, self.previous, strict=True):
            length = 2 * ball.epsilon * _over(self.share, block)
            step = ball.project(block + length * ball.steepest(block, slope)) - block
            moved.append(ball.project(block + (1 - follow) * step + follow * (block - before)))
        self.previous, self.previous_loss, self.done = w, loss, self.done + 1
        return tuple(moved)

    def _check(self) -> Verdicts:
        """Halve where it is due, and say where that is."""
        few = self.rises <= self.RISES * self.period
        stuck = ~self.was_halved & (self.checked_loss >= self.best_loss)
        halved = few | stuck
        self.share = torch.where(halved, self.share / 2, self.share)
        self.was_halved, self.checked_loss = halved, self.best_loss
        self.rises = torch.zeros_like(self.rises)
        self.since = 0
        self.period = max(
            self.period - max(int(0.03 * self.steps), 1), max(int(0.06 * self.steps), 1)
        )
        return halved


class RandomSearch(BestSearch):
    """Members of the balls drawn at random, without a gradient; the best is kept.

    Every other member is drawn anywhere in the ball, the rest around the best so far, within a
    half, a quarter and an eighth of the radius in turn. It is a check on searches that follow
    gradients.
    """

    follows_gradient = False
    per_example: ClassVar[tuple[str, ...]] = (*BestSearch.per_example, "rows")
    NEAR = (1 / 2, 1 / 4, 1 / 8)

    def __init__(
        self, w: Transform, loss_like: PerExample, whole: Balls, generator: torch.Generator
    ) -> None:
        super().__init__(w, loss_like)
        self.rows = torch.arange(len(loss_like), device=loss_like.device)
        self.all = w  # of every example, fallen or not
        self.whole, self.generator = whole, generator
        self.done = 0

    def next(self, w: Transform, loss: PerExample, gradients: Transform, balls: Balls) -> Transform:
        """Return the next members, drawn for all examples, so that none depends on the others."""
        drawn = tuple(
            ball.sample(block, self.generator)[self.rows]
            for ball, block in zip(self.whole, self.all, strict=True)
        )
        self.done += 1
        if self.done % 2:
            return drawn
        near = self.NEAR[self.done // 2 % len(self.NEAR)]
        moved = zip(balls, self.best, drawn, strict=True)
        return tuple(ball.project(best + near * block) for ball, best, block in moved)


class ListSearch(BestSearch):
    """Given members of one block in turn, such as a grid or a few draws; the best is kept."""

    follows_gradient = False
    per_example: ClassVar[tuple[str, ...]] = (*BestSearch.per_example, "rows")

    def __init__(self, w: Transform, loss_like: PerExample, members: Iterable[Tensor]) -> None:
        super().__init__(w, loss_like)
        self.rows = torch.arange(len(loss_like), device=loss_like.device)
        self.members = iter(members)

    def next(self, w: Transform, loss: PerExample, gradients: Transform, balls: Balls) -> Transform:
        """Return the next member."""
        return (next(self.members)[self.rows],)


def _where(chosen: Verdicts, these: Transform, those: Transform) -> Transform:
    """Return the blocks of some examples from one w, the others' from another."""
    pairs = zip(these, those, strict=True)
    return tuple(torch.where(_over(chosen, one), one, other) for one, other in pairs)


def _over(per_example: Tensor, block: Tensor) -> Tensor:
    """Return numbers an example in a shape that broadcasts over a block."""
    return per_example.view(-1, *[1] * (block.ndim - 1))
