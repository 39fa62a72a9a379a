"""Pixel noise in the union of several balls: multi steepest descent."""

from pydantic import PositiveFloat, model_validator

from moat.geometry.balls import Ball
from moat.geometry.union_ball import union_of
from moat.threats.base import threat
from moat.threats.gradient import GradientThreat
from moat.threats.pgd import BALLS
from moat.types import Images, Transform


@threat("msd")
class MSD(GradientThreat):
    """Add noise to the pixels within the balls of several norms, each step in the worst of them.

    An iteration takes one step in each ball from the same iterate, projects it onto that ball and
    the image box, and continues, for each example, from the step with the highest loss. So it costs
    one more forward for each ball, of which there are at least two. A ball has a radius and a step
    size, both in its norm; a pixel spans [0, 1].

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> both = MSD(
        ...     linf_epsilon=0.1, linf_step_size=0.03, l2_epsilon=0.5, l2_step_size=0.15, steps=3
        ... )
        >>> hard = both.perturb(smooth_model(), x, y)
        >>> hard.shape, bool((hard >= 0).all() and (hard <= 1).all())
        (torch.Size([2, 1, 8, 8]), True)

    Source: Maini, Wong and Kolter, Adversarial Robustness Against the Union of Multiple
    Perturbation Models, 2020, Algorithm 1.
    """

    linf_epsilon: PositiveFloat | None = None  # intensity: the largest change of a pixel
    linf_step_size: PositiveFloat | None = None
    l2_epsilon: PositiveFloat | None = None  # intensity: the Euclidean length of all changes
    l2_step_size: PositiveFloat | None = None
    l1_epsilon: PositiveFloat | None = None  # intensity: the sum of all changes
    l1_step_size: PositiveFloat | None = None

    @model_validator(mode="after")
    def _has_several_balls(self) -> "MSD":
        for norm in BALLS:
            epsilon, step = self._numbers(norm)
            if epsilon is None and step is not None:
                raise ValueError(f"{norm}_step_size is given, and {norm}_epsilon is missing")
            if epsilon is not None and step is None and self.search == "sign":
                raise ValueError(
                    f"{norm}_step_size is missing: steps have a fixed size in each ball"
                )
        if len(self.norms) < 2:
            raise ValueError(
                "at least two balls are searched: give two of linf_epsilon, l2_epsilon and "
                'l1_epsilon. One ball is the threat "pgd"'
            )
        return self

    @property
    def candidates(self) -> int:
        """The number of steps among which an iteration chooses, one for each ball."""
        return len(self.norms)

    def identity(self, x: Images) -> Transform:
        """Return no noise."""
        return (x.new_zeros(x.shape),)

    def apply(self, x: Images, w: Transform) -> Images:
        """Return x + w; the balls keep it in [0, 1]."""
        (noise,) = w
        return x + noise

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the union of the balls, each cut by the image box."""
        parts = []
        for norm in self.norms:
            epsilon, step = self._numbers(norm)
            assert epsilon is not None  # or the norm is none of its own
            parts.append(BALLS[norm](epsilon, step or epsilon, low=-x, high=1 - x))
        return (union_of(tuple(parts)),)

    @property
    def norms(self) -> list[str]:
        """The norms of its balls, in their order."""
        return [norm for norm in BALLS if self._numbers(norm)[0] is not None]

    def _numbers(self, norm: str) -> tuple[float | None, float | None]:
        return getattr(self, f"{norm}_epsilon"), getattr(self, f"{norm}_step_size")
