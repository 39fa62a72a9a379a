"""The image box where no ball of `w` can enforce it: each pixel moves by a share of its room."""

import torch
from torch import Tensor

from moat.public import public
from moat.types import Images


@public
def moved(x: Images, share: Tensor) -> Images:
    """Return x with each pixel moved by a share of its way to white or, below 0, to black.

    x + s (1 − x) where s ≥ 0, x + s x where s < 0. For shares in [−1, 1] the images stay in [0, 1],
    and nothing is clamped: a pixel between black and white has a gradient wherever s is. Both are
    intensities; `share` has the shape of x or broadcasts to it.

    Use it where many pixels share a parameter, as in noise of another basis: then no ball of `w` is
    the image box. Bound the shares by the ball of `w`.

    Example:
        >>> moved(torch.tensor([[[[0.2, 0.2]]]]), torch.tensor([[[[0.5, -0.5]]]]))
        tensor([[[[0.6000, 0.1000]]]])
    """
    return x + share * torch.where(share < 0, x, 1 - x)
