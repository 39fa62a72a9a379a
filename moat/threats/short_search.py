"""Shorter joint searches for training: fewer iterations, and examples that leave once fallen."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from moat.errors import DefinitionError
from moat.public import public
from moat.threats.ascent import ascend
from moat.threats.climb import Trace
from moat.threats.friendly import Friendly
from moat.threats.gradient import GradientThreat, with_steps
from moat.threats.joint import SearchedThreat
from moat.types import Images, Labels


@public
def steps_at(steps: int, growth: float) -> int:
    """Return how many of its iterations a search makes: 1 at a growth of 0, all of them at 1.

    In between each number is in turn for an equally long time.

    Example:
        >>> [steps_at(5, growth) for growth in (0.0, 0.24, 0.25, 0.9, 1.0)]
        [1, 1, 2, 4, 5]
    """
    return min(steps, 1 + int((steps - 1) * growth + 1e-9))


@public
@dataclass(frozen=True)
class ShortSearch:
    """A joint search with fewer iterations, and an early end for examples that have fallen.

    `growth` says how far the number of iterations has grown, from 1 at 0 to the threat's own at 1;
    sign steps are as much longer. With `friendly`, fallen examples leave: their number is read at
    every iteration, for which the host waits for a GPU, so that no CUDA graph can hold the search.
    It is the `search` of `StepSettings` and of `Step`.

    Raises DefinitionError for a growth outside of [0, 1].

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> from moat.threats import PGD
        >>> search = ShortSearch(growth=0.5, friendly=Friendly(after=1))
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=5)
        >>> arguments = {"generator": None, "pass_size": 128, "reach": 1.0}
        >>> (trace,) = search(smooth_model(), [pgd], *examples(count=2), **arguments)
        >>> trace.images.shape
        torch.Size([2, 1, 8, 8])

    Source: Cai et al., Curriculum Adversarial Training, 2018; Zhang et al., Attacks Which Do Not
    Kill Training Make Adversarial Learning Stronger, 2020.
    """

    growth: float = 1.0
    friendly: Friendly | None = None

    def __post_init__(self) -> None:
        number = isinstance(self.growth, int | float) and not isinstance(self.growth, bool)
        if not (number and 0 <= self.growth <= 1):
            raise DefinitionError(
                f"growth is a number from 0, one iteration, to 1, all of them, not "
                f"{self.growth!r}.",
                hint="Leave it out for all iterations.",
            )

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
        """Return each threat's last iterate."""
        climbs = [self._of(one).climb(x, y, generator=generator, reach=reach) for one in threats]
        until, every = (False, None) if self.friendly is None else (self.friendly, 1)
        found = ascend(
            model, climbs, pass_size, measure=False, until_fallen=until, leave_every=every
        )
        return [traces.popitem()[1] for traces in found]

    def _of(self, threat: SearchedThreat) -> SearchedThreat:
        if not isinstance(threat, GradientThreat):
            return threat
        return with_steps(threat, steps_at(threat.steps, self.growth))
