"""Threats searched by ascent over the blocks of `w`: three methods and their numbers."""

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import torch
from pydantic import ConfigDict, PositiveFloat, model_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass

from moat.annotations import value_in_words
from moat.errors import DefinitionError
from moat.geometry.balls import Ball, draw
from moat.geometry.draws import draw_seed, generator_like
from moat.geometry.union_ball import UnionBall, restepped, widened
from moat.losses import TARGETED, LossName
from moat.number_bounds import PositiveCount
from moat.public import public
from moat.threats.base import Repetition, Threat
from moat.threats.climb import Climb
from moat.threats.foreign import FOREIGN_TO_ASCENT
from moat.threats.joint import SearchedThreat
from moat.threats.searches import APGD, BestSignSearch, RandomSearch, Search, SignSearch
from moat.threats.steepest import SteepestSearch
from moat.types import Images, Labels, PerExample, Transform

START_NOISE = 1e-3
"""Standard deviation of start = "noise", in the unit of each block, as TRADES starts PGD."""
_WIDE = 2.0
"""Radii of the ball that start = "wide" draws from, as N-FGSM does."""
_UNBOUNDED = 1e6
"""Radii of a ball that a step never leaves: then only the image box bounds it."""


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

    A single step finds a hard example from a noisy start: `start = "uniform"` with a step of 1.25
    radii is that of RS-FGSM, and `start = "wide"` with a step of one radius that of N-FGSM. The
    latter draws from the ball of twice the radius and does not project onto the ball, so its images
    may lie up to three radii away; it is for training.

    Source: Wong, Rice and Kolter, Fast is Better than Free, 2020; de Jorge et al., Make Some Noise:
    Reliable and Efficient Single-Step Adversarial Training, 2022.

    Example:
        >>> from moat.threats import PGD
        >>> PGD(epsilon=0.1, step_size=0.02, steps=5).identity(torch.rand(2, 1, 8, 8))[0].shape
        torch.Size([2, 1, 8, 8])
    """

    steps: PositiveCount = 10  # iterations
    start: Literal["zero", "noise", "uniform", "wide"] = "zero"  # identity; 0.001 N(0, 1); in ball
    loss: LossName = "cross-entropy"  # what is climbed
    search: Literal["sign", "apgd", "random"] = "sign"  # Eq. 9; Auto-PGD; draws without a gradient
    foreign_words: ClassVar[Mapping[str, str]] = FOREIGN_TO_ASCENT
    keeps_best: ClassVar[bool] = False  # whether sign steps, too, report their best iterate
    _stride: ClassVar[float] = 1.0  # times the threat's own step size: see `with_steps`

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

    @model_validator(mode="after")
    def _wide_of_one_step(self) -> "GradientThreat":
        if self.start == "wide" and (self.steps > 1 or self.search != "sign"):
            other = f"steps = {self.steps}" if self.steps > 1 else f'search = "{self.search}"'
            raise ValueError(
                f"a wide start is followed by one sign step, and {other}: without a projection "
                'more steps would leave the ball ever farther; set steps = 1, or start = "uniform"'
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
            if self._stride != 1:
                whole = tuple(restepped(ball, self._stride) for ball in whole)
            if reach != 1:
                whole = tuple(ball.scaled(reach) for ball in whole)
            return whole

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
            balls=balls if self.start != "wide" else lambda x: _of_radii(_UNBOUNDED, balls(x)),
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
        around = balls(x) if self.start != "wide" else _of_radii(_WIDE, balls(x))
        pairs = zip(identity, around, strict=True)
        if self.start in ("uniform", "wide"):
            return tuple(ball.sample(block, generator) for block, ball in pairs)
        return tuple(
            ball.project(block + START_NOISE * draw(torch.randn, block, generator))
            for block, ball in pairs
        )


G = TypeVar("G", bound=GradientThreat)


@public
def with_steps(threat: G, steps: int) -> G:
    """Return a threat with another number of iterations, whose steps are together as long.

    A search of s iterations in place of S takes sign steps of S / s times the size, so that the
    reach of the search stays, at most the ball. Auto-PGD sets its own step sizes. A wide start is
    for one step: with more, it is drawn in the ball itself. Raises DefinitionError for a threat
    without an ascent.

    Example:
        >>> from moat.threats import PGD
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=10)
        >>> short, x = with_steps(pgd, 2), torch.rand(1, 1, 8, 8)
        >>> (ball,) = short.climb(x, torch.tensor([3])).balls(x)
        >>> short.steps, ball.epsilon, ball.step_size
        (2, 0.1, 0.1)
    """
    if not isinstance(threat, GradientThreat):
        raise DefinitionError(
            f"only a threat with an ascent has steps, not {value_in_words(threat)}.",
            hint="Pass a threat such as PGD(epsilon=0.1, step_size=0.02, steps=10).",
        )
    if steps == threat.steps:
        return threat
    made = copy.copy(threat)
    stride = threat._stride * threat.steps / steps
    start = "uniform" if threat.start == "wide" and steps > 1 else threat.start
    for name, value in (("steps", steps), ("_stride", stride), ("start", start)):
        object.__setattr__(made, name, value)  # it is frozen, and its class may be anybody's
    return made


@public
def within_ball(threat: Threat) -> Threat:
    """Return a threat whose images stay in its ball: a wide start becomes a uniform one.

    Example:
        >>> from moat.threats import PGD
        >>> within_ball(PGD(epsilon=0.1, step_size=0.1, steps=1, start="wide")).start
        'uniform'
    """
    if isinstance(threat, GradientThreat) and threat.start == "wide":
        return replace(threat, start="uniform")
    return threat


def _of_radii(factor: float, balls: tuple[Ball, ...]) -> tuple[Ball, ...]:
    return tuple(widened(ball, factor) for ball in balls)
