"""SmoothGrad: the mean gradient of the true logit over noisy copies of an image (Eq. 10)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from moat.analysis.arguments import require_above_zero
from moat.analysis.batching import Batching
from moat.analysis.example_draws import normal_draws
from moat.public import public
from moat.threats import attacked, door
from moat.types import Images, Labels


@public
@dataclass(frozen=True, kw_only=True)
class SmoothGrad:
    """The settings of a saliency map: `copies` is n, `noise` is σ / (max − min) of the image.

    Example:
        >>> SmoothGrad(copies=20)
        SmoothGrad(copies=20, noise=0.1, seed=0)
    """

    copies: int = 100
    noise: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        require_above_zero("copies", self.copies)
        require_above_zero("noise", self.noise, zero=True)


@public
def saliency_maps(
    model: nn.Module,
    x: Images,
    y: Labels,
    *,
    settings: SmoothGrad | None = None,
    batching: Batching | None = None,
) -> Images:
    """Return S(x) = 1/n Σ ∂f_y(x + q_i)/∂x, q_i ~ N(0, σ²): SmoothGrad of the true logit (Eq. 10).

    Signed, in logits per unit of intensity, of the shape of the images; σ is a share of the range
    of each image, and noisy copies are not clamped. The noise of an image follows from the seed and
    its id, so several models meet the same noise. A map costs n forwards and backwards to the
    image.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=4)
        >>> saliency_maps(smooth_model(), x, y, settings=SmoothGrad(copies=5)).shape
        torch.Size([4, 1, 8, 8])

    Source: Smilkov et al., SmoothGrad: removing noise by adding noise, 2017.
    """
    how, order = settings or SmoothGrad(), batching or Batching()
    with door(model, x, y) as (network, images, labels), attacked(network):
        size, numbers = order.size(images.device), order.numbers(len(images))
        together = max(1, size // how.copies)
        maps = torch.empty_like(images)
        for start in range(0, len(images), together):
            rows = slice(start, start + together)
            noise = normal_draws(
                images[rows], numbers[rows], "smoothgrad", how.seed, count=how.copies
            )
            maps[rows] = _mean_gradient(
                network, images[rows], labels[rows], how.noise * noise, size
            )
            order.progress(len(noise))
        return maps


def _mean_gradient(
    model: nn.Module,
    x: Images,
    y: Labels,
    noise: Float[Tensor, "batch copies channel height width"],
    pass_size: int,
) -> Images:
    """Return the maps of some images, their copies in passes; noise is in ranges of the image."""
    low, high = x.flatten(1).aminmax(dim=1)
    copies = torch.addcmul(x[:, None], noise, (high - low).view(-1, 1, 1, 1, 1)).flatten(0, 1)
    labels = y.repeat_interleave(noise.shape[1])
    slopes = [
        _gradient(model, part, own)
        for part, own in zip(copies.split(pass_size), labels.split(pass_size), strict=True)
    ]
    return torch.cat(slopes).view(noise.shape).mean(1)


def _gradient(model: nn.Module, x: Images, y: Labels) -> Images:
    leaf = x.requires_grad_()
    # of the sum: the gradient of an image must not depend on the size of its pass
    true = model(leaf).gather(1, y[:, None]).sum()
    return torch.autograd.grad(true, leaf)[0]
