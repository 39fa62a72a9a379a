"""Lengths of gradients and the cosines between them: a Gramian without its scales."""

from typing import NamedTuple

import torch
from torch import Tensor

from moat.types import Gramian

SHORTEST_GRADIENT = 1e-12
"""Length of a gradient, relative to the longest, below which it counts as 0."""
COSINE_RIDGE = 1e-7
"""Added to the cosines before a system is solved: float32 gradients know no smaller angle."""


class Directions(NamedTuple):
    """Cosines (k, k) and lengths (k,) of k gradients, and which are not 0: bool (k,).

    A gradient of 0 is at a right angle to all others and has the length 1, so that nothing is
    divided by 0.

    Example:
        >>> found = directions_of(torch.tensor([[4.0, 1.0], [1.0, 1.0]]))
        >>> found.cosines[0, 1], found.lengths
        (tensor(0.5000, dtype=torch.float64), tensor([2., 1.], dtype=torch.float64))
    """

    cosines: Tensor
    lengths: Tensor
    alive: Tensor

    def ridged(self) -> Tensor:
        """Return the cosines with a ridge, by which every system has one solution."""
        eye = torch.eye(len(self.lengths), dtype=torch.float64, device=self.lengths.device)
        return self.cosines + COSINE_RIDGE * eye


def symmetric(gramian: Gramian) -> Tensor:
    """Return a Gramian in float64, exactly symmetric despite the rounding of float32."""
    gramian = gramian.detach().double()
    return (gramian + gramian.T) / 2


def directions_of(gramian: Gramian) -> Directions:
    """Return the lengths and cosines of gradients from their inner products."""
    gramian = symmetric(gramian)
    lengths = gramian.diagonal().clamp(min=0).sqrt()
    alive = lengths > SHORTEST_GRADIENT * lengths.amax()
    lengths = torch.where(alive, lengths, torch.ones_like(lengths))
    both = alive & alive[:, None]
    cosines = torch.where(both, gramian / lengths / lengths[:, None], torch.zeros_like(gramian))
    return Directions(cosines + torch.diag((~alive).to(cosines)), lengths, alive)
