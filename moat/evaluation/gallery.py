"""A few test images, and what an evaluation's own searches made of them, to be looked at."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from moat.data import Data, Split, batches_in_order
from moat.evaluation.evaluator import BATCH, evaluated
from moat.evaluation.found import Stored
from moat.evaluation.protocol import Protocol
from moat.evaluation.searching import predicted, searched_images
from moat.geometry.grids import identity_grid
from moat.passes import default_pass_size
from moat.precision import plain_torch, tensor_float_32
from moat.threats import Moving
from moat.types import Images, Transform

SHOWN = 6  # examples
CELLS = 16  # displacements are kept for so many cells across and down at most


@dataclass(frozen=True, eq=False)
class Gallery:
    """Images as bytes (example, channel, height, width), and the classes that they are taken for.

    `adversarial` and its `adversarial_predicted` have the threat first: what the search at the
    largest strength ended with, of the first restart that felled the example, or else the last.
    `displacements` (threat, example, cells down, cells across, 2) say from how far each cell of the
    image is read, in the mean over its pixels, in grid units; NaN where a threat moves nothing.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    images: NDArray[np.uint8]
    predicted: NDArray[np.int64]
    threats: tuple[str, ...]
    strengths: NDArray[np.float64]
    adversarial: NDArray[np.uint8]
    adversarial_predicted: NDArray[np.int64]
    displacements: NDArray[np.float32]

    def arrays(self) -> Stored:
        """Return all of it as arrays without Python objects."""
        return {name: np.asarray(value) for name, value in vars(self).items()}


@plain_torch()
def make_gallery(
    model: nn.Module, data: Data, protocol: Protocol, *, pass_size: int | None = None
) -> Gallery:
    """Search a few test images of different classes again, just as the evaluation did.

    They are the first of their classes, so all runs on the same data show the same images.
    """
    split = evaluated(data.test, protocol)
    first = split.take(torch.arange(min(BATCH, len(split))))
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    size = pass_size or default_pass_size(device)
    chosen = _of_different_classes(first).to(device)
    among = torch.zeros(len(first), dtype=torch.bool, device=device)
    among[chosen] = True
    with tensor_float_32(False):
        # The whole batch, since random starts are drawn for all of it.
        ((x, y),) = batches_in_order(first, BATCH, device)
        searched = [
            searched_images(model, x, y, n, protocol, among, size) for n in protocol.threats
        ]
        verdicts = [predicted(model, images[chosen], size) for images, _ in searched]
        natural = predicted(model, x[chosen], size)
    moved = [
        _displacements(protocol.threats[name], x[chosen], w and tuple(b[chosen] for b in w))
        for name, (_, w) in zip(protocol.threats, searched, strict=True)
    ]
    return Gallery(
        ids=first.ids.cpu().numpy()[chosen.cpu()],
        labels=y[chosen].cpu().numpy(),
        classes=tuple(map(str, data.classes)),
        images=_bytes(x[chosen]),
        predicted=natural.cpu().numpy(),
        threats=tuple(protocol.threats),
        strengths=np.array([protocol.columns_of(n)[-1].strength for n in protocol.threats], float),
        adversarial=_stacked([_bytes(images[chosen]) for images, _ in searched], x[chosen], "u1"),
        adversarial_predicted=_stacked([one.cpu().numpy() for one in verdicts], chosen, "i8"),
        displacements=_stacked(moved, identity_grid(x[chosen]), "f4"),
    )


def _stacked(parts: list[NDArray[Any]], like: Tensor, kind: str) -> NDArray[Any]:
    """Return what the threats made, the threat first; of none, of the axes of `like`."""
    return np.stack(parts) if parts else np.zeros((0, *like.shape), kind)


def _of_different_classes(split: Split) -> torch.Tensor:
    """Return the places of the first examples of as many classes, filled up in order."""
    labels = split.labels.tolist()
    places = sorted({label: place for place, label in reversed(list(enumerate(labels)))}.values())
    rest = [place for place in range(len(labels)) if place not in places]
    return torch.tensor(sorted([*places, *rest][:SHOWN]))


def _displacements(threat: object, x: Images, w: Transform | None) -> NDArray[np.float32]:
    height, width = x.shape[2:]
    cells = min(height, CELLS), min(width, CELLS)
    if w is None or not isinstance(threat, Moving):
        return np.full((len(x), *cells, 2), np.nan, dtype=np.float32)
    moved = (threat.grid(x, w) - identity_grid(x)).permute(0, 3, 1, 2)
    return F.adaptive_avg_pool2d(moved, cells).permute(0, 2, 3, 1).float().cpu().numpy()


def _bytes(images: Images) -> NDArray[np.uint8]:
    return (255 * images).round().to(torch.uint8).cpu().numpy()
