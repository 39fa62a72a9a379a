"""The union of several balls around one point: its members lie in at least one of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from moat.geometry.balls import Ball, draw, rows
from moat.public import public


@dataclass(frozen=True, eq=False)
class UnionBall(Ball):
    """All w in at least one of the `parts`, each with a radius and a step size of its own.

    Convention: lengths are shares of the parts' radii, so that the union's own radius is 1 and its
    step size the smallest share that a step of a part has. Make one with `union_of`.

    Example:
        >>> from moat.geometry.balls import LinfBall
        >>> from moat.geometry.l2_ball import L2Ball
        >>> union = union_of((LinfBall(0.1, 0.05), L2Ball(0.3, 0.1)))
        >>> union.project(torch.tensor([[0.1, 0.1], [0.5, 0.0]]))  # a member; the l2 ball is nearer
        tensor([[0.1000, 0.1000],
                [0.3000, 0.0000]])
    """

    parts: tuple[Ball, ...] = ()

    def project(self, w: Tensor) -> Tensor:
        """Return the nearest to w of the parts' projections."""
        return self._largest([part.project(w) for part in self.parts], lambda v: -_square(v - w))

    def steepest(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Return the direction, as long as its part's radius, that raises a linear loss most.

        A search that measures the loss of each part's step need not trust the linear model.
        """
        directions = [part.epsilon * part.steepest(w, gradient) for part in self.parts]
        return self._largest(directions, lambda v: rows(v * gradient).sum(1))

    def length(self, w: Tensor) -> Tensor:
        """Return the smallest length of w relative to a part's radius."""
        return torch.stack([part.length(w) / part.epsilon for part in self.parts]).amin(0)

    def sample(self, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw from each part, then choose one of the draws for each example."""
        drawn = [part.sample(like, generator) for part in self.parts]
        place = draw(torch.rand, like.new_empty(len(like), 1), generator)[:, 0] * len(drawn)
        return _chosen(drawn, place.long().clamp(max=len(drawn) - 1))

    def scaled(self, share: float) -> Ball:
        """Return the union of the parts, each with its radius and step size times `share`."""
        return replace(self, parts=tuple(part.scaled(share) for part in self.parts))

    def _largest(self, of: list[Tensor], score: Callable[[Tensor], Tensor]) -> Tensor:
        return _chosen(of, torch.stack([score(one) for one in of]).argmax(0))


@public
def union_of(parts: tuple[Ball, ...]) -> UnionBall:
    """Return the union of balls around one point in one image box.

    Example:
        >>> from moat.geometry.balls import LinfBall
        >>> union_of((LinfBall(0.1, 0.05), LinfBall(0.2, 0.05))).step_size
        0.25
    """
    share = min(part.step_size / part.epsilon for part in parts)
    return UnionBall(1.0, share, parts[0].low, parts[0].high, parts)


@public
def parts_of(ball: Ball) -> tuple[Ball, ...]:
    """Return the balls of a union, or the one ball that it is.

    Example:
        >>> from moat.geometry.balls import LinfBall
        >>> len(parts_of(LinfBall(0.1, 0.05)))
        1
    """
    return ball.parts if isinstance(ball, UnionBall) else (ball,)


@public
def restepped(ball: Ball, factor: float) -> Ball:
    """Return a ball with its steps, or those of a union's parts, times `factor`; radii stay.

    Example:
        >>> from moat.geometry.balls import LinfBall
        >>> restepped(LinfBall(0.1, 0.02), 5.0)
        LinfBall(epsilon=0.1, step_size=0.1, low=None, high=None)
    """
    made = replace(ball, step_size=factor * ball.step_size)
    if not isinstance(made, UnionBall):
        return made
    return replace(made, parts=tuple(restepped(part, factor) for part in made.parts))


@public
def widened(ball: Ball, factor: float) -> Ball:
    """Return a ball, or the union of a union's parts, of `factor` times the radius; steps stay.

    Example:
        >>> from moat.geometry.balls import LinfBall
        >>> widened(LinfBall(0.1, 0.02), 2.0)
        LinfBall(epsilon=0.2, step_size=0.02, low=None, high=None)
    """
    if isinstance(ball, UnionBall):
        return replace(ball, parts=tuple(widened(part, factor) for part in ball.parts))
    return replace(ball, epsilon=factor * ball.epsilon)


@public
def hardest_of(members: list[Tensor], scores: Tensor) -> Tensor:
    """Return each example's member with the highest score (members, batch); NaN counts as lowest.

    Example:
        >>> losses = torch.tensor([[1.0, 2.0], [3.0, 0.0]])
        >>> hardest_of([torch.zeros(2, 1), torch.ones(2, 1)], losses)
        tensor([[1.],
                [0.]])
    """
    return _chosen(members, scores.nan_to_num(nan=-torch.inf).argmax(0))


def _chosen(members: list[Tensor], which: Tensor) -> Tensor:
    """Return for each example the member of its number."""
    return torch.stack(members)[which, torch.arange(len(which), device=which.device)]


def _square(w: Tensor) -> Tensor:
    return rows(w).square().sum(1)
