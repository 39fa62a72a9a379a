"""What a threat is: a perturbation set, and the search for its worst member."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import (
    Any,
    ClassVar,
    Literal,
    Protocol,
    TypeVar,
    dataclass_transform,
    runtime_checkable,
)

import torch
from pydantic import ConfigDict, Field, PositiveFloat, PositiveInt, model_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass
from torch import nn

from moat.geometry.balls import Ball, draw
from moat.geometry.draws import draw_seed, generator_like
from moat.losses import LossName
from moat.passes import default_pass_size
from moat.registry import Registry
from moat.threats.ascent import Climb, Trace, ascend
from moat.threats.guard import guarded, guarded_search, is_guarded
from moat.threats.searches import APGD, BestSignSearch, RandomSearch, Search, SignSearch
from moat.types import Images, Labels, PerExample, Transform

START_NOISE = 1e-3
"""Standard deviation of start = "noise", in the unit of each block, as TRADES starts PGD."""

StepSize = PositiveFloat | None
"""The step of a block; only sign steps need one. Its field's name ends in step_size."""


class Threat(ABC):
    """A perturbation set, and the search for its worst member.

    One that is no GradientThreat searches as it likes and has one strength.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **keys: Any) -> None:
        """Put the guard before `perturb`, a plug-in's included, wherever the class has it from."""
        super().__init_subclass__(**keys)
        if not (is_guarded(cls.perturb) or getattr(cls.perturb, "__isabstractmethod__", False)):
            cls.perturb = guarded(cls.perturb)  # type: ignore[method-assign]

    @abstractmethod
    def perturb(
        self, model: nn.Module, x: Images, y: Labels, *, generator: torch.Generator | None = None
    ) -> Images:
        """Return detached images in [0, 1], of the shape of x, that the model finds hard.

        The model may be any module, in any mode, from images in [0, 1] to logits; its flags, its
        gradients and the global random state are left as they were. Random draws come from
        `generator`, or from torch's global one where there is none.

        Every class has `moat.threats.guard` before this method, so that an implementation sees
        float images in [0, 1], int64 labels on their device, and a model that returns logits.
        Raises ModelError for others.
        """


class SearchedThreat(Threat):
    """A threat whose iterates the one loop makes and measures: it says how a batch is climbed."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """How many iterations a search takes."""

    @abstractmethod
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
        """Return the search on a batch, what it draws drawn; `at_steps` defaults to the last.

        `reach` is the share of its bounds that is searched; `rank` says which wrong class a
        targeted loss aims at, the most likely one first.
        """

    def perturb(
        self, model: nn.Module, x: Images, y: Labels, *, generator: torch.Generator | None = None
    ) -> Images:
        """Return the images of the last iterate, or of the best where the search keeps it.

        Eqs. 2, 6 and 8, climbed by Eq. 9.
        """
        (trace,) = search(model, [self], x, y, generator=generator)
        return trace.images


@pydantic_dataclass(kw_only=True, frozen=True, config=ConfigDict(extra="forbid", strict=True))
class GradientThreat(SearchedThreat):
    """A threat that is searched by ascent over the blocks of `w`.

    A new one writes `identity`, `apply` and `balls`, and declares its numbers.
    """

    steps: PositiveInt = 10  # iterations
    start: Literal["zero", "noise", "uniform"] = "zero"  # identity; 0.001 N(0, 1); in the ball
    loss: LossName = "cross-entropy"  # what is climbed
    search: Literal["sign", "apgd", "random"] = "sign"  # Eq. 9; Auto-PGD; draws without a gradient
    keeps_best: ClassVar[bool] = False  # whether sign steps, too, report their best iterate

    @model_validator(mode="after")
    def _off_the_flat_start(self) -> "GradientThreat":
        if self.loss == "kl" and self.start == "zero":
            raise ValueError(
                "the KL loss has no gradient at the natural image, so that a start at zero climbs "
                'rounding noise; take start = "noise"'
            )
        return self

    @model_validator(mode="after")
    def _has_its_steps(self) -> "GradientThreat":
        missing = [name for name, value in vars(self).items() if value is None and _is_step(name)]
        if missing and self.search == "sign":
            raise ValueError(
                f"{missing[0]} is missing: sign steps have a fixed size. Give one, or take "
                'search = "apgd" or "random", which need none'
            )
        return self

    @abstractmethod
    def identity(self, x: Images) -> Transform:
        """Return the w that leaves the images as they are, each block with the batch first."""

    @abstractmethod
    def apply(self, x: Images, w: Transform) -> Images:
        """Return T_w(x), differentiable in w.

        Never clamp here: it would kill the gradient of every pixel it touches. Where w must keep
        the image in its box, the ball says so.
        """

    @abstractmethod
    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the ball that each block of w is searched in."""

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

        `reach` is the share of their radius and step size that the balls have; `rank` says which
        wrong class a targeted loss aims at, the most likely one first.
        """

        def balls(images: Images) -> tuple[Ball, ...]:
            whole = self.balls(images)
            return whole if reach == 1 else tuple(ball.scaled(reach) for ball in whole)

        start = self._start(x, balls, generator)
        seed = draw_seed(generator) if self.search == "random" else 0

        def search(w: Transform, like: PerExample) -> Search:
            match self.search:
                case "apgd":
                    return APGD(w, like, self.steps)
                case "random":
                    return RandomSearch(w, like, balls(x), generator_like(generator, seed))
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
        """Return what is climbed: the loss, unless a threat adds a term in w."""
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


def _is_step(name: str) -> bool:
    return name.endswith("step_size")


@guarded_search
def search(
    model: nn.Module,
    threats: Sequence[SearchedThreat],
    x: Images,
    y: Labels,
    *,
    generator: torch.Generator | None = None,
    pass_size: int | None = None,
    reach: float = 1.0,
) -> list[Trace]:
    """Search several threats on one batch together; return each one's last iterate.

    Starts are drawn in the order of the threats, so that one generator gives what separate
    searches with it would give. Their balls have the share `reach` of their radius and step size.
    Nothing is measured; `ascend` reports iterates and outcomes.
    """
    size = default_pass_size(x.device) if pass_size is None else pass_size
    return joint_search(model, threats, x, y, generator=generator, pass_size=size, reach=reach)


@runtime_checkable
class JointSearch(Protocol):
    """How the training step has several threats searched on one batch."""

    def __call__(
        self,
        model: nn.Module,
        threats: Sequence[SearchedThreat],
        x: Images,
        y: Labels,
        *,
        generator: torch.Generator | None,
        pass_size: int,
        reach: float,
    ) -> list[Trace]:
        """Return each threat's last iterate, from images and labels that are known to be sound."""


def joint_search(
    model: nn.Module,
    threats: Sequence[SearchedThreat],
    x: Images,
    y: Labels,
    *,
    generator: torch.Generator | None = None,
    pass_size: int,
    reach: float = 1.0,
) -> list[Trace]:
    """Search as `search` does, without a look at the values: a GPU would make the host wait."""
    climbs = [threat.climb(x, y, generator=generator, reach=reach) for threat in threats]
    return [traces.popitem()[1] for traces in ascend(model, climbs, pass_size, measure=False)]


registry: Registry[Threat] = Registry("threat", "moat.threats", Threat)  # type: ignore[type-abstract]

T = TypeVar("T", bound=type[Threat])


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def threat(name: str) -> Callable[[T], T]:
    """Declare a threat under a name that recipes use.

    The class becomes a frozen, keyword-only, validated dataclass: annotated fields are its recipe
    keys, and unknown ones are refused.
    """
    return lambda cls: registry.declare(name, cls, frozen=True)
