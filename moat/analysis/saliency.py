"""Saliency: SmoothGrad maps of several models for the same test images (Figure 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from moat.analysis.batches import evaluated_examples
from moat.analysis.batching import Batching
from moat.analysis.few_examples import few_examples, images_for, stored_pixels
from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
from moat.analysis.smoothgrad import SmoothGrad, saliency_maps
from moat.data import Split
from moat.precision import plain_torch, tensor_float_32
from moat.public import public, public_at_once
from moat.records import Analysis, AnalysisSubject, NamedArray
from moat.runs.arrays import Arrays

_PIXELS = ("channel", "row", "column")


@public
@dataclass(frozen=True, kw_only=True)
class SaliencySettings:
    """The examples of saliency maps, and the copies and noise of each.

    `examples` is a count or the ids of test examples; see `SmoothGrad` for the rest.

    Example:
        >>> SaliencySettings(examples=(3, 5)).copies
        100
    """

    examples: int | tuple[int, ...] = 4
    copies: int = 100
    noise: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        self.smoothgrad()

    def smoothgrad(self) -> SmoothGrad:
        """Return how a map is made."""
        return SmoothGrad(copies=self.copies, noise=self.noise, seed=self.seed)


@public_at_once
@plain_torch()
def saliency(
    models: Mapping[str, nn.Module],
    data: Any,
    protocol: Any,
    *,
    settings: SaliencySettings | None = None,
    pass_size: int | None = None,
    parts: AnalysisParts | None = None,
    progress: AnalysisProgress | None = None,
) -> Analysis:
    """Return SmoothGrad (Eq. 10) of the true class's logit for some test images, by every model.

    Arrays: `image` (example, channel, row, column) in [0, 1], `label` (example) and `map` (model,
    example, channel, row, column), signed, in logits per unit of intensity. Every model meets the
    same noise. Of the protocol only the choice of test examples counts.

    Example:
        >>> import torch
        >>> from moat.threats import PGD
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> data = torch.rand(20, 1, 8, 8), torch.arange(20) % 10
        >>> few, pgd = SaliencySettings(examples=2, copies=5), PGD(epsilon=0.1, step_size=0.1)
        >>> found = saliency({"linear": network}, data, pgd, settings=few)
        >>> found["map"].shape
        (1, 2, 1, 8, 8)

    Source: Smilkov et al., SmoothGrad: removing noise by adding noise, 2017.
    """
    how = settings or SaliencySettings()
    split, _, stated = evaluated_examples(data, protocol)
    few = few_examples(data, split, stated, how.examples, how.seed)
    each = float(len(few) * how.copies)
    work = AnalysisWork(of=len(models) * each, progress=progress, parts=parts)
    with tensor_float_32(False):
        maps = [
            work.part(name, each, partial(maps_of, model, few, how, work, pass_size))["map"]
            for name, model in models.items()
        ]
    return _analysis(list(models), few, how, np.stack(maps))


def maps_of(
    model: nn.Module, few: Split, how: SaliencySettings, work: AnalysisWork, pass_size: int | None
) -> Arrays:
    """Return the maps of one model, and count their passes."""
    x, y, ids = images_for(model, few)
    order = Batching(ids=ids, pass_size=pass_size, progress=lambda n: work.advance(n * how.copies))
    maps = saliency_maps(model, x, y, settings=how.smoothgrad(), batching=order)
    return {"map": maps.cpu().numpy()}


def _analysis(
    names: Sequence[str], few: Split, how: SaliencySettings, maps: NDArray[Any]
) -> Analysis:
    arrays = {
        "model": NamedArray(np.array(names), ("model",)),
        "example": NamedArray(few.ids.cpu().numpy(), ("example",)),
        "label": NamedArray(few.labels.cpu().numpy(), ("example",)),
        "image": NamedArray(stored_pixels(few), ("example", *_PIXELS), in_table=False),
        "map": NamedArray(
            maps, ("model", "example", *_PIXELS), "logits per intensity", in_table=False
        ),
    }
    return Analysis(
        "saliency",
        arrays,
        subjects=tuple(map(AnalysisSubject, names)),
        settings={
            "examples": few.ids.tolist(),
            "copies": how.copies,
            "noise": how.noise,
            "seed": how.seed,
        },
        notes=(_NOTE.format(copies=how.copies, noise=how.noise),),
    )


_NOTE = (
    "SmoothGrad of the true class's logit, the mean gradient over {copies} noisy copies, whose "
    "noise is {noise:g} of the range of each image. Of each pair the left map keeps the sign, "
    "summed over channels: grey is 0, white raises the logit, black lowers it. The right map is "
    "its size, black where it is large. Each map is scaled to its own 99th percentile."
)
