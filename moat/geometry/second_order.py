"""Resampling with a second derivative, which torch's own has not."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.overrides import TorchFunctionMode

from moat.public import public
from moat.types import Images

_BORDER = 2  # black pixels around the image: both neighbours of a point outside of it are black


@public
def bilinear_samples(
    x: Images, grid: Float[Tensor, "batch rows columns 2"]
) -> Float[Tensor, "batch channel rows columns"]:
    """Read the images at the grid's points as `resample` does, with derivatives of any order.

    Between the centres of pixels the value is bilinear: a a' x₀₀ + b a' x₀₁ + a b' x₁₀ + b b' x₁₁,
    so of its second derivatives in a point's coordinates only the mixed one is not 0. At the
    centres, where the slope jumps, the derivatives are those of the side to the right and below.

    Example:
        >>> x, grid = torch.rand(1, 3, 8, 8), 2 * torch.rand(1, 8, 8, 2) - 1
        >>> from moat.geometry.grids import resample
        >>> torch.allclose(bilinear_samples(x, grid), resample(x, grid), atol=1e-5)
        True
    """
    batch, channel, height, width = x.shape
    rows, columns = grid.shape[1:3]
    framed = F.pad(x, (_BORDER,) * 4).flatten(2)
    left, right_share = _neighbours(grid[..., 0], width)
    upper, lower_share = _neighbours(grid[..., 1], height)
    first = (upper * (width + 2 * _BORDER) + left).view(batch, 1, -1).expand(-1, channel, -1)
    corners = [
        framed.gather(2, first + step).view(batch, channel, rows, columns)
        for step in (0, 1, width + 2 * _BORDER, width + 2 * _BORDER + 1)
    ]
    above = torch.lerp(corners[0], corners[1], right_share)
    below = torch.lerp(corners[2], corners[3], right_share)
    return torch.lerp(above, below, lower_share)


class SecondOrder(TorchFunctionMode):
    """A context in which torch's bilinear `grid_sample` can be differentiated twice.

    It is replaced where pixels are areas and black surrounds the image; other calls stay torch's.

    Example:
        >>> from moat.geometry.grids import identity_grid, resample
        >>> x = torch.rand(1, 1, 4, 4)
        >>> grid = (identity_grid(x) + 0.1).requires_grad_()
        >>> with SecondOrder():
        ...     (slope,) = torch.autograd.grad(resample(x, grid).sum(), grid, create_graph=True)
        >>> torch.autograd.grad(slope.sum(), grid)[0].shape
        torch.Size([1, 4, 4, 2])
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run a function of torch's, or the replacement of `grid_sample`."""
        given = kwargs or {}
        if func is F.grid_sample:
            called = {**dict(zip(_ARGUMENTS, args, strict=False)), **given}
            if _is_plain(called):
                return bilinear_samples(called["input"], called["grid"])
        return func(*args, **given)


_ARGUMENTS = ("input", "grid", "mode", "padding_mode", "align_corners")


def _is_plain(called: dict[str, Any]) -> bool:
    """Say whether a call of grid_sample has the convention of `geometry.grids`."""
    return (
        called["input"].ndim == 4
        and called.get("mode", "bilinear") == "bilinear"
        and called.get("padding_mode", "zeros") == "zeros"
        and not called.get("align_corners")
    )


def _neighbours(points: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Return the place of the pixel before each point in the framed image, and the next's share."""
    place = (((points + 1) * length - 1) / 2).clamp(-_BORDER, length)
    before = place.detach().floor()
    return (before + _BORDER).long().clamp(0, length + _BORDER), (place - before)[:, None]
