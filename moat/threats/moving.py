"""Threats that move pixels, and return the point that each pixel reads, for pictures."""

from abc import ABC, abstractmethod

from moat.geometry.grids import resample
from moat.threats.gradient import GradientThreat
from moat.types import Grid, Images, Transform


class Moving(ABC):
    """A transform that moves pixels, and whose points can be drawn.

    Example:
        >>> from moat.threats import Flow
        >>> x = torch.rand(2, 1, 8, 8)
        >>> flow = Flow(epsilon=0.3, step_size=0.01)
        >>> isinstance(flow, Moving), flow.grid(x, flow.identity(x)).shape
        (True, torch.Size([2, 8, 8, 2]))
    """

    @abstractmethod
    def grid(self, x: Images, w: Transform) -> Grid:
        """Return the point of x that each pixel of T_w(x) reads; see geometry.grids."""


class Warp(GradientThreat, Moving):
    """A gradient threat that only moves pixels: it defines `grid` instead of `apply`.

    Example:
        >>> from moat.threats import RT
        >>> x = torch.rand(2, 1, 8, 8)
        >>> rt = RT(epsilon=0.1, step_size=0.02)
        >>> torch.allclose(rt.apply(x, rt.identity(x)), x, atol=1e-5)
        True
    """

    def apply(self, x: Images, w: Transform) -> Images:
        """Return the images resampled once, at the grid."""
        return resample(x, self.grid(x, w))
