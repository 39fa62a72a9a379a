"""One search on one batch: its objective, its start, and its reported iterates."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from moat.geometry.balls import Ball
from moat.losses import Loss, LossName
from moat.public import public
from moat.threats.searches import Search, SignSearch
from moat.types import Images, Labels, PerExample, Transform, Verdicts


@public
@dataclass(frozen=True, eq=False)
class Trace:
    """One iterate of a search: the images T_w(x), the w, and the model's results.

    `loss` (batch,) and `correct` (batch,) are those of these images; `stood` (batch,) says whether
    every iterate up to this one was classified correctly. `best` (batch,) is the highest loss among
    them, `first` (batch,) the loss at the start, `last` (batch,) the loss at the end of the search,
    even if it reports a better iterate. `blind` (batch,) marks examples whose gradient was zero at
    the start, or not finite at any iterate. All are None for a search without measurement, which
    saves the forward of the last iterate.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> from moat.threats import PGD, search
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=3)
        >>> x, y = examples(count=4)
        >>> (trace,) = search(smooth_model(), [pgd], x, y)
        >>> (trace.images - x).abs().max() <= 0.06 + 1e-9  # three steps of 0.02
        tensor(True)
        >>> trace.loss is None  # `search` measures nothing, `ascend` does
        True
    """

    images: Images
    w: Transform
    loss: PerExample | None = None
    correct: Verdicts | None = None
    stood: Verdicts | None = None
    best: PerExample | None = None
    first: PerExample | None = None
    blind: Verdicts | None = None
    last: PerExample | None = None

    def copy(self) -> "Trace":
        """Return a copy that shares no tensor with the original."""
        w = tuple(block.clone() for block in self.w)
        others = {n: part.clone() for n, part in vars(self).items() if isinstance(part, Tensor)}
        return replace(self, w=w, **others)


def _sign(w: Transform, like: PerExample) -> Search:
    return SignSearch()


@public
@dataclass(frozen=True, eq=False)
class Climb:
    """One search on one batch: its objective, its start, its rule, and its reports.

    `loss` is a name, or a function of logits and labels. `at_steps` are counts of iterations; the
    largest is the length of the search. `rank` is the target of a targeted loss: the place of a
    wrong class by its likelihood on the natural image. `objective` turns the loss and w into the
    climbed value. `search` makes the search from the start. `among` (batch,) are the examples that
    climb, by default all.

    Example:
        >>> from moat.testing import examples
        >>> from moat.threats import PGD
        >>> climb = PGD(epsilon=0.1, step_size=0.02, steps=5).climb(*examples(count=4))
        >>> climb.at_steps, [block.shape for block in climb.start]
        ((5,), [torch.Size([4, 1, 8, 8])])
    """

    x: Images
    y: Labels
    start: Transform
    apply: Callable[[Images, Transform], Images]
    balls: Callable[[Images], tuple[Ball, ...]]
    loss: LossName | Loss
    at_steps: tuple[int, ...]
    search: Callable[[Transform, PerExample], Search] = _sign
    objective: Callable[[PerExample, Transform], PerExample] | None = None
    rank: int = 1
    among: Verdicts | None = None
