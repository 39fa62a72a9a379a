"""The climbed loss over two directions of `w`, a grid point and an example at a time, in passes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from moat.analysis.arguments import require_above_zero, require_one_of
from moat.analysis.batching import Batching
from moat.analysis.climbed_loss import (
    ClimbedLoss,
    View,
    ball_members,
    climb_of,
    climbed_loss,
    end_of,
    require_gradient_threat,
)
from moat.analysis.directions import random_directions
from moat.errors import InputError
from moat.public import public
from moat.threats import GradientThreat, attacked, door
from moat.types import Images, Labels, Transform

NEAR = 0.1  # of the reach of the far view

Surfaces = Float[Tensor, "batch points points"]


@public
@dataclass(frozen=True, kw_only=True)
class SurfaceGrid:
    """The places where a surface is measured: `points` on each axis, from −`extent` to `extent`.

    Example:
        >>> SurfaceGrid(points=5).axis()
        tensor([-1.0000, -0.5000,  0.0000,  0.5000,  1.0000], dtype=torch.float64)
    """

    points: int = 51
    extent: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        require_above_zero("extent", self.extent)
        if self.points < 3 or self.points % 2 == 0:
            raise InputError(
                f"points is {self.points!r}: a surface has an odd number of at least 3 on an axis, "
                "so that one lies in the middle.",
                hint=f"Take {max(3, self.points | 1)}, or the default, 51.",
            )

    def axis(self) -> Tensor:
        """Return the coordinates along an axis."""
        return torch.linspace(-self.extent, self.extent, self.points, dtype=torch.float64)


@public
def loss_surfaces(
    model: nn.Module,
    threat: GradientThreat,
    x: Images,
    y: Labels,
    *,
    view: View = "far",
    grid: SurfaceGrid | None = None,
    batching: Batching | None = None,
) -> Surfaces:
    """Return L(w₀ + a d₁ + b d₂) of each example, a along rows and b along columns (Figure 2).

    L is what the search climbs, mostly the cross-entropy, in nats. Each example has two random
    directions of its own, filter-normalised: in every block of w a direction is as long as a
    uniform draw from the ball (`far`), as a tenth of it (`near`), both around the start w₀ of the
    search, or as the block of w at its end, w₀ = w* (`end`). So 1 on an axis is one such length,
    and w is not projected. It costs points² forwards of each example.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> from moat.threats import RT
        >>> rt, (x, y) = RT(epsilon=0.1, step_size=0.02, steps=3), examples(count=4)
        >>> loss_surfaces(smooth_model(), rt, x, y, view="end", grid=SurfaceGrid(points=5)).shape
        torch.Size([4, 5, 5])

    Source: Li et al., Visualizing the Loss Landscape of Neural Nets, 2018.
    """
    searched = require_gradient_threat(threat)
    require_one_of("view", view, View)
    places, how = grid or SurfaceGrid(), batching or Batching()
    with door(model, x, y) as (network, images, labels), attacked(network):
        size, numbers = how.size(images.device), how.numbers(len(images))
        climb = climb_of(searched, images, labels, places.seed, noisy=False)
        if view == "end":
            centre = like = end_of(network, climb, size)
        else:
            centre, reach = climb.start, 1.0 if view == "far" else NEAR
            like = tuple(reach * own for own in ball_members(climb, numbers, places.seed))
        first, second = random_directions(like, numbers, places.seed)
        with torch.no_grad():
            loss = climbed_loss(network, climb, size)
            return _surfaces(loss, (centre, first, second), places.axis(), size, how.progress)


def _surfaces(
    loss: ClimbedLoss,
    frame: tuple[Transform, Transform, Transform],
    axis: Tensor,
    pass_size: int,
    progress: Callable[[int], object],
) -> Surfaces:
    """Measure every grid point of every example: all of them are one list, cut into passes."""
    centre, first, second = frame
    x = loss.climb.x
    points = len(axis)
    total = len(x) * points**2
    coordinates = axis.to(x)
    values = x.new_empty(total)
    for start in range(0, total, pass_size):
        place = torch.arange(start, min(start + pass_size, total), device=x.device)
        example, within = place // points**2, place % points**2
        w = tuple(
            torch.addcmul(
                torch.addcmul(
                    middle[example], one[example], _as(coordinates[within // points], one)
                ),
                other[example],
                _as(coordinates[within % points], other),
            )
            for middle, one, other in zip(centre, first, second, strict=True)
        )
        values[start : start + pass_size] = loss.at(w, example)
        progress(len(place))
    return values.view(len(x), points, points)


def _as(coordinates: Tensor, block: Tensor) -> Tensor:
    return coordinates.view(-1, *[1] * (block.ndim - 1))
