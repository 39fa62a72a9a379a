"""A few test images, with the images that the evaluation's own searches found."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from moat.data import Data, stored_in_order
from moat.evaluation.batch import BATCH, Batch
from moat.evaluation.evaluator import evaluated
from moat.evaluation.protocol import Protocol
from moat.evaluation.room import room_for
from moat.evaluation.search_results import Rows
from moat.evaluation.searching import searched_images
from moat.geometry.grids import identity_grid
from moat.precision import plain_torch, tensor_float_32
from moat.public import public
from moat.records import Gallery
from moat.threats import Moving, home_of
from moat.types import Images, Labels, Transform

GALLERY_IMAGES = 6  # examples
CELLS = 16  # displacements are kept for so many cells across and down at most


@public
@plain_torch()
def make_gallery(
    model: nn.Module, data: Data, protocol: Protocol, *, pass_size: int | None = None
) -> Gallery:
    """Search a few test images of different classes again, just as the evaluation did.

    They are the first of their classes, so all runs on the same data show the same images.

    Example:
        >>> from moat.data import Digits
        >>> from moat.threats import PGD
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> protocol = Protocol({"pgd": PGD(epsilon=0.1, step_size=0.02, steps=2)}, examples=20)
        >>> make_gallery(network, Digits().load(), protocol).images.shape
        (6, 1, 8, 8)
    """
    split = evaluated(data.test, protocol)
    device = home_of(model)
    # The whole first batch, since random starts are drawn for all of it.
    first = split.take(torch.arange(min(BATCH, len(split))))
    ((images, labels),) = stored_in_order(first, BATCH, device)
    room = room_for(protocol, images.shape, device, pass_size=pass_size, classes=len(data.classes))
    batch = Batch(model, images, labels, protocol, 0, room)
    chosen = _of_different_classes(first.labels)
    with tensor_float_32(False):
        x, y = batch.examples(chosen)
        searched = [searched_images(batch, name, chosen) for name in protocol.threats]
        verdicts = [batch.logits(found).argmax(1) for found, _ in searched]
        natural = batch.logits(x).argmax(1)
    moved = [
        _displacements(protocol.threats[name], x, w)
        for name, (_, w) in zip(protocol.threats, searched, strict=True)
    ]
    return Gallery(
        ids=first.ids.cpu().numpy()[chosen],
        labels=y.cpu().numpy(),
        classes=np.array(list(map(str, data.classes))),
        images=_bytes(x),
        predicted=natural.cpu().numpy(),
        threats=np.array(list(protocol.threats), np.str_),
        strengths=np.array([protocol.columns_of(n)[-1].strength for n in protocol.threats], float),
        adversarial=_stacked([_bytes(found) for found, _ in searched], x, "u1"),
        adversarial_predicted=_stacked([one.cpu().numpy() for one in verdicts], y, "i8"),
        displacements=_stacked(moved, identity_grid(x), "f4"),
    )


def _stacked(parts: list[NDArray[Any]], like: Tensor, kind: str) -> NDArray[Any]:
    """Return what the threats made, the threat first; of none, of the axes of `like`."""
    return np.stack(parts) if parts else np.zeros((0, *like.shape), kind)


def _of_different_classes(known: Labels) -> Rows:
    """Return the places of the first examples of as many classes, filled up in order."""
    labels = known.tolist()
    places = sorted({label: place for place, label in reversed(list(enumerate(labels)))}.values())
    rest = [place for place in range(len(labels)) if place not in places]
    return np.array(sorted([*places, *rest][:GALLERY_IMAGES]))


def _displacements(threat: object, x: Images, w: Transform | None) -> NDArray[np.float32]:
    height, width = x.shape[2:]
    cells = min(height, CELLS), min(width, CELLS)
    if w is None or not isinstance(threat, Moving):
        return np.full((len(x), *cells, 2), np.nan, dtype=np.float32)
    moved = (threat.grid(x, w) - identity_grid(x)).permute(0, 3, 1, 2)
    return F.adaptive_avg_pool2d(moved, cells).permute(0, 2, 3, 1).float().cpu().numpy()


def _bytes(images: Images) -> NDArray[np.uint8]:
    return (255 * images).round().to(torch.uint8).cpu().numpy()
