"""Every rotation and translation of a grid, or random ones, without the use of a gradient."""

from collections.abc import Iterator, Mapping
from itertools import product
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import NonNegativeFloat, PositiveInt, model_validator

from moat.geometry.balls import draw
from moat.geometry.grids import affine_grid, identity_affine, resample, rigid_increment
from moat.threats.base import Repetition, threat
from moat.threats.climb import Climb
from moat.threats.joint import SearchedThreat
from moat.threats.moving import Moving
from moat.threats.searches import ListSearch, Search
from moat.transfers import send
from moat.types import Affine, Grid, Images, Labels, PerExample, Transform

MOST_TRIED = 1_000_000  # of each example


@threat("rt-grid")
class RTGrid(SearchedThreat, Moving):
    """Try every rotation and translation of a grid on each example, and keep the worst (Eq. 4).

    With `worst_of` = k, it tries k random ones within the limits instead. The unmodified image is
    always among them. The worst one has the largest margin, which is positive if any of them is
    misclassified.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> grid = RTGrid(degrees=10.0, pixels=1.0, rotations=3, translations=3)
        >>> hard = grid.perturb(smooth_model(), x, y)
        >>> hard.shape, bool((hard >= 0).all() and (hard <= 1).all())
        (torch.Size([2, 1, 8, 8]), True)

    Source: Engstrom et al., Exploring the Landscape of Spatial Robustness, 2019, Section 3.
    """

    typical: ClassVar[Mapping[str, Any]] = MappingProxyType({"rotations": 3, "translations": 1})
    degrees: NonNegativeFloat = 30.0  # to either side
    pixels: NonNegativeFloat = 3.0  # in each direction
    rotations: PositiveInt = 31  # values of the angle
    translations: PositiveInt = 5  # values of the shift, in each direction
    worst_of: PositiveInt | None = None  # random draws, instead of the grid

    @model_validator(mode="after")
    def _is_searchable(self) -> "RTGrid":
        if self.steps > MOST_TRIED:
            raise ValueError(
                f"{self.steps:,} rotations and translations are too many: at most "
                f"{MOST_TRIED:,} are tried; lower rotations, translations or worst_of"
            )
        return self

    @property
    def steps(self) -> int:
        """The number of attempts besides the unmodified image."""
        return self.worst_of or self.rotations * self.translations**2

    @property
    def repetition(self) -> Repetition | None:
        """The whole grid is the same in every search; random members are not."""
        if self.worst_of is not None:
            return None
        return Repetition(
            "of the whole grid", "Set worst_of, for example to 100, to draw, or leave restarts out."
        )

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
        """Return the search on a batch; `reach` is the share of the limits that is tried."""
        drawn = list(self._drawn(x, reach, generator)) if self.worst_of else None

        def search(w: Transform, like: PerExample) -> Search:
            return ListSearch(w, like, drawn or self._turns_and_shifts(x, reach))

        start = (x.new_zeros(len(x), 2, 3),)
        steps = at_steps or (self.steps,)
        return Climb(
            x=x,
            y=y,
            start=start,
            apply=self._moved,
            balls=lambda images: (),
            loss="margin",
            at_steps=steps,
            search=search,
        )

    def grid(self, x: Images, w: Transform) -> Grid:
        """Return the affine grid of [I | 0] + w (Eq. 4)."""
        (matrix,) = w
        return affine_grid(identity_affine(x) + matrix, x)

    def _moved(self, x: Images, w: Transform) -> Images:
        return resample(x, self.grid(x, w))

    def _turns_and_shifts(self, x: Images, reach: float) -> Iterator[Affine]:
        angles = _between(reach * self.degrees, self.rotations)
        shifts = _between(reach * self.pixels, self.translations)
        listed = torch.tensor([*product(angles, shifts, shifts)], dtype=x.dtype)
        for moved in send(listed, x.device):  # at once: a GPU need not wait for each
            yield rigid_increment(moved.expand(len(x), 3), x)

    def _drawn(
        self, x: Images, reach: float, generator: torch.Generator | None
    ) -> Iterator[Affine]:
        limits = send(torch.tensor([self.degrees, *2 * [self.pixels]], dtype=x.dtype), x.device)
        for _ in range(self.steps):
            drawn = 2 * draw(torch.rand, x.new_empty(len(x), 3), generator) - 1
            yield rigid_increment(reach * limits * drawn, x)


def _between(limit: float, count: int) -> list[float]:
    """Return so many values from -limit to limit, evenly; 0 where it is one."""
    return [0.0] if count == 1 else torch.linspace(-limit, limit, count, device="cpu").tolist()
