"""The joint search of several threats, checked or trusted."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from moat.passes import default_pass_size
from moat.public import public
from moat.threats.ascent import ascend
from moat.threats.base import Threat
from moat.threats.climb import Climb, Trace
from moat.threats.guard import guarded_search
from moat.types import Images, Labels


class SearchedThreat(Threat):
    """A threat that the one loop searches: it defines the climb of a batch.

    Example:
        >>> from moat.testing import examples
        >>> from moat.threats import PGD
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=5)
        >>> isinstance(pgd, SearchedThreat), pgd.steps
        (True, 5)
        >>> pgd.climb(*examples(count=4), at_steps=(1, 3)).at_steps
        (1, 3)
    """

    @property
    @abstractmethod
    def steps(self) -> int:
        """The number of iterations of a search."""

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
        """Return the search on a batch, with its draws made; `at_steps` defaults to the last.

        `reach` is the share of its bounds that is searched; `rank` is the wrong class of a targeted
        loss, the most likely one first.
        """

    def perturb(
        self, model: nn.Module, x: Images, y: Labels, *, generator: torch.Generator | None = None
    ) -> Images:
        """Return the images of the last iterate, or of the best one if the search keeps it.

        Eqs. 2, 6 and 8, climbed by Eq. 9.
        """
        (trace,) = search(model, [self], x, y, generator=generator)
        return trace.images


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

    Starts are drawn in the order of the threats, so they equal those of separate searches with the
    same generator. `reach` is the share of the balls' radius and step size. Nothing is measured;
    `ascend` reports iterates and outcomes.

    Example:
        >>> from moat.threats import PGD, RT
        >>> from moat.testing import examples, smooth_model
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=3)
        >>> threats = [pgd, RT(epsilon=0.1, step_size=0.02, steps=5)]
        >>> [trace.images.shape for trace in search(smooth_model(), threats, *examples(count=2))]
        [torch.Size([2, 1, 8, 8]), torch.Size([2, 1, 8, 8])]
    """
    size = default_pass_size(x.device) if pass_size is None else pass_size
    return joint_search(model, threats, x, y, generator=generator, pass_size=size, reach=reach)


@runtime_checkable
class JointSearch(Protocol):
    """The signature of a joint search of several threats on one batch, for a training step.

    Example:
        >>> def counted_search(model, threats, x, y, **settings):
        ...     found = joint_search(model, threats, x, y, **settings)
        ...     print([trace.images.shape for trace in found])
        ...     return found
        >>> isinstance(counted_search, JointSearch)
        True
        >>> from moat.threats import PGD
        >>> from moat.testing import examples, smooth_model
        >>> _ = counted_search(
        ...     smooth_model(),
        ...     [PGD(epsilon=0.1, step_size=0.02, steps=3)],
        ...     *examples(count=2),
        ...     generator=None,
        ...     pass_size=128,
        ...     reach=1.0,
        ... )
        [torch.Size([2, 1, 8, 8])]
    """

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


@public
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
    """Search like `search`, without checks of values, for which the host would wait for a GPU.

    Example:
        >>> from moat.threats import PGD, RT
        >>> from moat.testing import examples, smooth_model
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=3)
        >>> threats = [pgd, RT(epsilon=0.1, step_size=0.02, steps=5)]
        >>> found = joint_search(smooth_model(), threats, *examples(count=2), pass_size=128)
        >>> [trace.images.shape for trace in found]
        [torch.Size([2, 1, 8, 8]), torch.Size([2, 1, 8, 8])]
    """
    climbs = [threat.climb(x, y, generator=generator, reach=reach) for threat in threats]
    return [traces.popitem()[1] for traces in ascend(model, climbs, pass_size, measure=False)]
