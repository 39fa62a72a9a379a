"""The skewness of the difference of two saliency maps, image by image (Figure 5)."""

from typing import Literal

import torch
from torch import Tensor

from moat.analysis.arguments import require_one_of
from moat.errors import InputError
from moat.public import public
from moat.types import PerExample

Maps = Literal["signed", "absolute"]
"""Whether a saliency map keeps its sign."""
Scale = Literal["raw", "unit"]
"""Whether each map is compared as it is, or at Euclidean length 1."""

_FLAT = 1e-12  # of the largest value: a spread below it is rounding


@public
def fisher_pearson(values: Tensor) -> PerExample:
    """Return m₃ / m₂^{3/2} of each example's numbers, all axes but the first, in float64.

    m_k is the k-th central moment. Equal numbers have none, so they get 0.

    Example:
        >>> fisher_pearson(torch.tensor([[-1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]))
        tensor([0.0000, 0.7071], dtype=torch.float64)
    """
    each = values.double().flatten(1)
    apart = each - each.mean(1, keepdim=True)
    second, third = apart.square().mean(1), apart.pow(3).mean(1)
    flat = second.sqrt() <= _FLAT * each.abs().amax(1)
    return torch.where(flat, 0.0, third / torch.where(flat, 1.0, second) ** 1.5)


@public
def saliency_skewness(
    maps: Tensor, reference: Tensor, *, kind: Maps = "signed", scale: Scale = "raw"
) -> PerExample:
    """Return the skewness of the pixel-wise difference, a model's map minus the reference's.

    Below 0, the reference has few pixels far above those of the model: it is the sparser of the
    two. Equal maps, and differences that are distributed evenly around their mean, give 0. With
    `absolute` the maps are |S|; with `unit` each has Euclidean length 1, so that a model whose
    logits are merely larger does not decide the sign.

    Example:
        >>> sparse = torch.tensor([0.0, 0.0, 0.0, 1.0]).view(1, 1, 2, 2)
        >>> saliency_skewness(torch.zeros(1, 1, 2, 2), sparse)  # the reference is sparse
        tensor([-1.1547], dtype=torch.float64)
    """
    require_one_of("kind of map", kind, Maps)
    require_one_of("scale", scale, Scale)
    if maps.shape != reference.shape:
        raise InputError(
            f"maps of the shape {tuple(maps.shape)} are compared with a reference of "
            f"{tuple(reference.shape)}.",
            hint="Make both of the same images.",
        )
    own, other = (_prepared(part, kind, scale) for part in (maps, reference))
    return fisher_pearson(own - other)


def _prepared(maps: Tensor, kind: Maps, scale: Scale) -> Tensor:
    each = maps.double().abs() if kind == "absolute" else maps.double()
    if scale == "raw":
        return each
    length = each.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return each / torch.where(length > 0, length, 1.0)
