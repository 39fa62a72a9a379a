"""Power spectra of images and perturbations, whole and by ring of frequency."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from moat.types import Images


@dataclass(frozen=True, eq=False)
class Rings:
    """The rings of a spectrum: frequencies by their distance from 0, in cycles per pixel.

    `ring` (height, width) has each frequency's ring, `radius` its distance, `frequency` (rings,)
    the middle of each ring. A ring is as wide as the spectrum's resolution on its longer side; the
    last ones hold the corners, beyond half a cycle per pixel.

    Example:
        >>> Rings.of(8, 8).frequency[:3].tolist()
        [0.0, 0.125, 0.25]
    """

    ring: NDArray[np.int64]
    radius: NDArray[np.float64]
    frequency: NDArray[np.float64]

    @classmethod
    def of(cls, height: int, width: int) -> "Rings":
        """Return the rings of images of a size; zero frequency is in the middle."""
        radius = np.hypot(frequencies(height)[:, None], frequencies(width)[None])
        resolution = 1 / max(height, width)
        ring = np.round(radius / resolution).astype(np.int64)
        return cls(ring, radius, resolution * np.arange(ring.max() + 1))


def frequencies(size: int) -> NDArray[np.float64]:
    """Return the frequencies along a side in cycles per pixel, 0 in the middle.

    Example:
        >>> frequencies(4).tolist()
        [-0.5, -0.25, 0.0, 0.25]
    """
    return np.fft.fftshift(np.fft.fftfreq(size))


def power_spectra(signals: Images) -> Tensor:
    """Return the power at each frequency (example, height, width), in float64.

    P(f) = Σ_channels |F(f)|² / (height · width), with 0 in the middle: the sum over all frequencies
    is the squared L2 norm of the signal (Parseval).

    Example:
        >>> signals = torch.rand(2, 3, 8, 8)
        >>> power = power_spectra(signals)
        >>> torch.allclose(power.sum((1, 2)), signals.double().square().sum((1, 2, 3)))
        True
    """
    found: Tensor = torch.fft.fft2(signals.double(), norm="ortho").abs().square().sum(1)
    shifted: Tensor = torch.fft.fftshift(found, dim=(-2, -1))
    return shifted


def by_ring(power: Tensor, rings: Rings) -> Tensor:
    """Return the power of each example in each ring, (example, ring)."""
    ring = torch.from_numpy(rings.ring).to(power.device).flatten()
    found = power.new_zeros(len(power), len(rings.frequency))
    return found.index_add_(1, ring, power.flatten(1))
