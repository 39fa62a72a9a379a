"""The images that a protocol's own searches find, batch by batch, for an analysis to look at."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from moat.analysis.arguments import require_distinct
from moat.data import DEVICE_MEMORY, Data, Split, stored_in_order
from moat.errors import AnalysisError, did_you_mean
from moat.evaluation import Protocol
from moat.evaluation.arguments import require_kinds
from moat.evaluation.batch import BATCH, Batch
from moat.evaluation.evaluator import evaluated
from moat.evaluation.float_images import float_images
from moat.evaluation.in_memory import protocol_of_threats, split_of
from moat.evaluation.model_checks import FEW_EXAMINED, examined
from moat.evaluation.room import room_for
from moat.threats import bare, home_of, require_classes
from moat.threats.batch import largest_of


def evaluated_examples(data: Any, protocol: Any) -> tuple[Split, int | None, Protocol]:
    """Return the examples that a protocol evaluates, the count of classes if known, the protocol.

    `data` and `protocol` are whatever `moat.evaluation.evaluate` takes.
    """
    stated = protocol_of_threats(protocol)
    require_kinds(stated, None)
    known = split_of(data)
    classes = len(known.classes) if isinstance(known, Data) else None
    split = known.test if isinstance(known, Data) else known
    stated.require_channels(split.images.shape[1])
    return evaluated(split, stated), classes, stated


def require_threats(protocol: Protocol, threats: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of some threats of a protocol, of all if none is named.

    Raises AnalysisError for a threat that the protocol does not evaluate.
    """
    known = list(protocol.threats)
    for label in threats:
        if label not in known:
            raise AnalysisError(
                f"the protocol evaluates no threat labelled {label!r}.{did_you_mean(label, known)}",
                where="threats",
                hint=f"evaluated: {', '.join(known) or 'none'}",
            )
    require_distinct("threat", threats, "threats")
    if not known:
        raise AnalysisError(
            "the protocol evaluates no threat, so an analysis of its images has none.",
            where="threats",
            hint="Name a protocol with threats: --protocol FILE",
        )
    return tuple(threats) or tuple(known)


def batches_of(
    model: nn.Module,
    split: Split,
    protocol: Protocol,
    classes: int | None = None,
    *,
    pass_size: int | None = None,
    memory: float = DEVICE_MEMORY,
) -> Iterator[Batch]:
    """Yield the batches in which an evaluation searches a split, with its random starts.

    Raises ModelError, before the first batch, for a network that no search can rest on.
    """
    model = bare(model)
    device = home_of(model)
    room = None
    for number, (images, labels) in enumerate(
        stored_in_order(split.near(device, memory), BATCH, device)
    ):
        if room is None:
            seen = examined(model, float_images(images[:FEW_EXAMINED]), classes)
            require_classes(seen.classes, largest_of(split.labels))
            room = room_for(
                protocol,
                images.shape,
                device,
                image=seen.image_bytes,
                pass_size=pass_size,
                classes=seen.classes,
            )
        yield Batch(model, images, labels, protocol, number, room)


def all_rows(batch: Batch) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Return the places of all examples of a batch."""
    return torch.arange(len(batch)).numpy()
