"""The curvature of the climbed loss in `w`: extreme eigenvalues and signs of its Hessian."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from moat.analysis.arguments import require_above_zero, require_one_of
from moat.analysis.batching import Batching
from moat.analysis.climbed_loss import (
    ClimbedLoss,
    climb_of,
    climbed_loss,
    end_of,
    require_gradient_threat,
)
from moat.analysis.example_draws import normal_draws
from moat.analysis.hessian import as_vectors, hessian_product
from moat.analysis.lanczos import Spectrum, lanczos
from moat.public import public
from moat.threats import GradientThreat, attacked, door
from moat.types import Images, Labels, PerExample, Transform

SIGNIFICANT = 1e-4  # of the largest |eigenvalue|: below it the sign is rounding

SearchEnd = Literal["start", "end"]
"""The point in w at which the Hessian is taken."""


@public
@dataclass(frozen=True, eq=False)
class Curvature:
    """The spectrum of the Hessian of each example, in nats per squared unit of w.

    `lowest` and `highest` are its extreme eigenvalues, each known within `error`. `negative` and
    `positive` are the shares of its eigenvalues that are below and above 0 by more than rounding;
    the rest of the `entries` is 0.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> from moat.threats import RT
        >>> found = loss_curvature(smooth_model(), RT(epsilon=0.1, step_size=0.02), *examples())
        >>> found.entries, bool((found.lowest <= found.highest).all())
        (6, True)
    """

    lowest: PerExample
    highest: PerExample
    negative: PerExample
    positive: PerExample
    error: PerExample
    entries: int


@public
@dataclass(frozen=True, kw_only=True)
class Lanczos:
    """The settings of spectra: the number of products for each example, and the seed of the starts.

    Example:
        >>> Lanczos(steps=20)
        Lanczos(steps=20, seed=0)
    """

    steps: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        require_above_zero("steps", self.steps)


@public
def loss_curvature(
    model: nn.Module,
    threat: GradientThreat,
    x: Images,
    y: Labels,
    *,
    at: SearchEnd = "start",
    settings: Lanczos | None = None,
    batching: Batching | None = None,
) -> Curvature:
    """Return the extreme eigenvalues and the signs of the Hessian of the climbed loss in w.

    At the `start` of a search that begins at zero, w is moved by a thousandth: at the exact
    identity every point of a warp lies where its slope jumps. The `end` is the w that the search
    reports. A w of at most as many entries as `steps` gets its whole spectrum; of a larger one, the
    Lanczos process gives the extremes and estimates the shares from one random start.

    Of a network of ReLU and max-pooling the logits are piecewise linear in the image, and a
    bilinear warp has no second derivative along an axis. The Hessian then comes from the softmax
    and from the products of both inside a piece; jumps of the slope between pieces, which a
    landscape shows, are not in it.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> from moat.threats import PGD
        >>> pgd, (x, y) = PGD(epsilon=0.1, step_size=0.02), examples(count=4)
        >>> found = loss_curvature(smooth_model(), pgd, x, y, settings=Lanczos(steps=8))
        >>> found.entries, found.lowest.shape
        (64, torch.Size([4]))
    """
    searched = require_gradient_threat(threat)
    require_one_of("place of a search", at, SearchEnd)
    how, order = settings or Lanczos(), batching or Batching()
    with door(model, x, y) as (network, images, labels), attacked(network):
        size, numbers = order.size(images.device), order.numbers(len(images))
        climb = climb_of(searched, images, labels, how.seed, noisy=at == "start")
        w = climb.start if at == "start" else end_of(network, climb, size)
        loss = climbed_loss(network, climb, size)
        probes = normal_draws(as_vectors(w), numbers, "lanczos", how.seed)[:, 0]
        found = []
        for first in range(0, len(images), size):
            rows = slice(first, first + size)
            found.append(_curvature(_spectrum(loss, w, rows, probes[rows], how.steps)))
            order.progress(len(probes[rows]))
    parts = [torch.cat(part) for part in zip(*found, strict=True)]
    lowest, highest, negative, positive, error = parts
    return Curvature(lowest, highest, negative, positive, error, probes.shape[1])


def _spectrum(loss: ClimbedLoss, w: Transform, rows: slice, probes: Tensor, steps: int) -> Spectrum:
    product = hessian_product(loss, w, rows)
    entries = probes.shape[1]
    if entries > steps:
        return lanczos(product, probes, steps)
    axes = torch.eye(entries).to(probes)
    whole = torch.stack([product(axis.expand_as(probes)) for axis in axes], dim=2).double()
    values = torch.linalg.eigvalsh((whole + whole.mT) / 2)
    return Spectrum(values, torch.full_like(values, 1 / entries), torch.zeros_like(values))


def _curvature(spectrum: Spectrum) -> tuple[Tensor, ...]:
    values, weights, bounds = spectrum
    lowest, highest = values[:, 0], values[:, -1]
    floor = SIGNIFICANT * values.abs().amax(1, keepdim=True)
    negative = (weights * (values < -floor)).sum(1)
    positive = (weights * (values > floor)).sum(1)
    return lowest, highest, negative, positive, torch.maximum(bounds[:, 0], bounds[:, -1])
