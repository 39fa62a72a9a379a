"""Threats searched by ascent over the blocks of `w`: three methods and their numbers."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import ConfigDict, PositiveFloat, model_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass

from moat.annotations import value_in_words
from moat.errors import DefinitionError
from moat.geometry.balls import Ball, draw
from moat.geometry.draws import draw_seed, generator_like
from moat.geometry.union_ball import UnionBall
from moat.losses import TARGETED, LossName
from moat.number_bounds import PositiveCount
from moat.threats.base import Repetition
from moat.threats.climb import Climb
from moat.threats.foreign import FOREIGN_TO_ASCENT
from moat.threats.joint import SearchedThreat
from moat.threats.searches import APGD, BestSignSearch, RandomSearch, Search, SignSearch
from moat.threats.steepest import SteepestSearch
from moat.types import Images, Labels, PerExample, Transform

START_NOISE = 1e-3
"""Standard deviation of start = "noise", in the unit of each block, as TRADES starts PGD."""


class _FixedStep:
    """Marks a field that holds the length of a sign step."""


StepSize = Annotated[PositiveFloat | None, _FixedStep()]
"""The step of a block; only sign steps need one, and then it may not be None."""


def step_fields(cls: type[Any]) -> list[str]:
    """Return the names of the fields that a threat declares as a `StepSize`."""
    known = cls.__pydantic_fields__.items()
    return [name for name, field in known if any(isinstance(m, _FixedStep) for m in field.metadata)]


@pydantic_dataclass(kw_only=True, frozen=True, config=ConfigDict(extra="forbid", strict=True))
class GradientThreat(SearchedThreat):
    """A threat searched by ascent over the blocks of `w` (Eq. 9).

    A subclass defines `identity`, `apply` and `balls`, and declares its numbers.

    Example:
        >>> from moat.threats import PGD
        >>> PGD(epsilon=0.1, step_size=0.02, steps=5).identity(torch.rand(2, 1, 8, 8))[0].shape
        torch.Size([2, 1, 8, 8])
    """

    steps: PositiveCount = 10  # iterations
    start: Literal["zero", "noise", "uniform"] = "zero"  # identity; 0.001 N(0, 1); in the ball
    loss: LossName = "cross-entropy"  # what is climbed
    search: Literal["sign", "apgd", "random"] = "sign"  # Eq. 9; Auto-PGD; draws without a gradient
    foreign_words: ClassVar[Mapping[str, str]] = FOREIGN_TO_ASCENT
    keeps_best: ClassVar[bool] = False  # whether sign steps, too, report their best iterate

    @model_validator(mode="after")
    def _off_the_flat_start(self) -> "GradientThreat":
        if self.loss == "kl" and self.start == "zero":
            raise ValueError(
                "the KL loss has no gradient at the natural image, so a start at zero climbs "
                'rounding noise; use start = "noise"'
            )
        return self

    @model_validator(mode="after")
    def _has_its_steps(self) -> "GradientThreat":
        missing = [name for name in step_fields(type(self)) if getattr(self, name) is None]
        if missing and self.search == "sign":
            raise ValueError(
                f"{missing[0]} is missing: sign steps have a fixed size. Set it, or use "
                'search = "apgd" or "random", which do not need it'
            )
        return self

    @property
    def repetition(self) -> Repetition | None:
        """From a start at zero every search is the same, unless it draws or has another target."""
        if self.start != "zero" or self.search == "random" or self.loss in TARGETED:
            return None
        return Repetition(
            "from zero",
            'Set start = "uniform" or "noise", a targeted loss, or leave restarts out.',
        )

    @property
    def candidates(self) -> int:
        """The number of steps among which an iteration chooses by their losses; 0 by default."""
        return 0

    @abstractmethod
    def identity(self, x: Images) -> Transform:
        """Return the w that leaves the images unchanged, each block with the batch first."""

    @abstractmethod
    def apply(self, x: Images, w: Transform) -> Images:
        """Return T_w(x), differentiable in w.

        Do not clamp here: a clamp zeroes the gradient of every pixel that it changes. If w must
        keep the image in its box, give the box to the ball.
        """

    @abstractmethod
    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return one ball for each block of w."""

    def climb(
        self,
        x: Images,
        y: Labels,
        *,
        at_steps: tuple[int, ...] = (),
        generator: torch.Generator | None = None,
        reach: float = 1.0,
        rank: int = 1,
    ) -> Climb:
        """Return the search on a batch, its start drawn; `at_steps` defaults to the last.

        `reach` is the share of radius and step size of the balls; `rank` is the wrong class of a
        targeted loss, the most likely one first.
        """

        def balls(images: Images) -> tuple[Ball, ...]:
            whole = self.balls(images)
            if not isinstance(whole, tuple):
                raise DefinitionError(
                    f"{type(self).__name__}.balls returns {value_in_words(whole)}, not a tuple.",
                    hint="Return one ball for each block of w: return (ball,).",
                )
            return whole if reach == 1 else tuple(ball.scaled(reach) for ball in whole)

        start = self._start(x, balls, generator)
        seed = draw_seed(generator) if self.search == "random" else 0

        def search(w: Transform, like: PerExample) -> Search:
            match self.search:
                case "apgd":
                    return APGD(w, like, self.steps)
                case "random":
                    return RandomSearch(w, like, balls(x), generator_like(generator, seed))
            if any(isinstance(ball, UnionBall) for ball in balls(x)):
                return SteepestSearch()
            return BestSignSearch(w, like) if self.keeps_best else SignSearch()

        return Climb(
            x=x,
            y=y,
            start=start,
            apply=self.apply,
            balls=balls,
            loss=self.loss,
            at_steps=at_steps or (self.steps,),
            search=search,
            objective=self.objective,
            rank=rank,
        )

    def objective(self, loss: PerExample, w: Transform) -> PerExample:
        """Return the objective of the ascent: the loss, unless a threat adds a term in w."""
        return loss

    def _start(
        self,
        x: Images,
        balls: Callable[[Images], tuple[Ball, ...]],
        generator: torch.Generator | None,
    ) -> Transform:
        identity = self.identity(x)
        if self.start == "zero":
            return identity
        pairs = zip(identity, balls(x), strict=True)
        if self.start == "uniform":
            return tuple(ball.sample(block, generator) for block, ball in pairs)
        return tuple(
            ball.project(block + START_NOISE * draw(torch.randn, block, generator))
            for block, ball in pairs
        )
