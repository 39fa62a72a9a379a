"""JPEG of an image: cosine transforms of its blocks, divided, rounded and undone."""

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from moat.types import Images

SIDE = 8
LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *([99] * 32),
)
TO_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)
TIES = 0.5 + 1e-5  # a tie goes up whatever the rounding of the sums before


def compressed(x: Images, quality: int) -> Images:
    """Return the images after JPEG of a quality from 1 to 100, without a gradient.

    Example:
        >>> x = torch.rand(2, 3, 20, 20)
        >>> errors = [(compressed(x, quality) - x).abs().mean() for quality in (95, 50, 5)]
        >>> bool(errors[0] < errors[1] < errors[2])
        True
    """
    with torch.no_grad():
        of_colour = x.shape[1] == 3
        planes = 255 * x - (0 if of_colour else 128)
        if of_colour:
            forth, back = _colours(x.dtype, x.device)
            planes = torch.einsum("ij,bjhw->bihw", forth, planes)
            planes = torch.cat([planes[:, :1] - 128, planes[:, 1:]], 1)
        planes = _rounded(planes, _tables(quality, x.shape[1], x.dtype, x.device))
        if of_colour:
            planes = torch.cat([planes[:, :1] + 128, planes[:, 1:]], 1)
            planes = torch.einsum("ij,bjhw->bihw", back, planes)
        return ((planes + (0 if of_colour else 128)) / 255).clamp(0, 1)


def _rounded(planes: Tensor, tables: Tensor) -> Tensor:
    """Return planes whose blocks have whole multiples of the tables (channel, 8, 8) as cosines."""
    height, width = planes.shape[2:]
    wide = F.pad(planes, (0, -width % SIDE, 0, -height % SIDE), mode="replicate")
    blocks = wide.unflatten(3, (-1, SIDE)).unflatten(2, (-1, SIDE)).transpose(3, 4)
    cosines = _cosines(planes.dtype, planes.device)
    divided = cosines @ blocks @ cosines.mT / tables[:, None, None]
    found = cosines.mT @ (torch.floor(divided + TIES) * tables[:, None, None]) @ cosines
    return found.transpose(3, 4).flatten(4, 5).flatten(2, 3)[..., :height, :width]


@cache  # never dropped: CUDA graphs read them where they lie
def _cosines(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the orthonormal cosine transform of eight numbers."""
    rows = [
        [
            math.sqrt((1 if wave == 0 else 2) / SIDE) * math.cos(math.pi * wave * (n + 0.5) / SIDE)
            for n in range(SIDE)
        ]
        for wave in range(SIDE)
    ]
    return _kept(rows, dtype, device)


@cache
def _tables(quality: int, channels: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return what each channel's cosines are divided by, (channel, 8, 8)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    listed = [LUMINANCE, CHROMINANCE, CHROMINANCE] if channels == 3 else [LUMINANCE] * channels
    scaled = [[min(max((n * scale + 50) // 100, 1), 255) for n in table] for table in listed]
    return _kept(scaled, dtype, device).unflatten(1, (SIDE, SIDE))


@cache
def _colours(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the matrices from RGB to luminance and two chrominances, and back."""
    forth = _kept(TO_YCBCR, torch.float64, torch.device("cpu"))
    with torch.inference_mode(False):
        return tuple(one.to(device, dtype) for one in (forth, forth.inverse()))


def _kept(numbers: object, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # a cached tensor must serve autograd later
        return torch.tensor(numbers, dtype=dtype, device=device)
