"""The run of a protocol against a model, batch by batch and threat by threat."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from moat import outcomes as scoring
from moat.data import DEVICE_MEMORY, Data, Split, sample, stored_in_order
from moat.evaluation.arguments import guarded_evaluation
from moat.evaluation.batch import BATCH, Batch
from moat.evaluation.float_images import float_images
from moat.evaluation.model_checks import FEW_EXAMINED, examined
from moat.evaluation.progress import EvaluationProgress, Telling
from moat.evaluation.protocol import Protocol
from moat.evaluation.room import room_for
from moat.evaluation.search_results import Found, Stored, below, beside
from moat.evaluation.searching import natural_images, search_threat
from moat.names import NATURAL
from moat.outcomes import Outcomes
from moat.precision import plain_torch, tensor_float_32
from moat.public import public
from moat.threats import Threat, guarded_network, home_of, largest_of, require_classes
from moat.threats.cautions import warn_of_channels_last, warn_of_infinite_logits


@public
@dataclass(frozen=True, eq=False)
class Evaluation:
    """The outcomes of a model under a protocol, and every score made of them.

    `found` holds the further results of the searches, in the order of the columns; `ids` are the
    examples.

    Example:
        >>> from moat.data import Digits
        >>> from moat.threats import PGD
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> pgd = PGD(epsilon=0.1, step_size=0.02)
        >>> protocol = Protocol({"pgd": pgd}, at_steps={"pgd": (2, 4)}, examples=20)
        >>> judged = evaluate(network, Digits().load(), protocol)
        >>> list(judged.accuracy)
        ['natural', 'pgd', 'union']
        >>> [(row["threat"], row["strength"]) for row in judged.rows()]
        [('natural', 0), ('pgd', 2), ('pgd', 4)]
    """

    found: Found
    ids: NDArray[np.int64]
    protocol: Protocol
    pass_size: int | None = None  # of the passes that fitted

    @property
    def outcomes(self) -> Outcomes:
        """The outcome matrix."""
        columns, ensembles = self.protocol.columns(), self.protocol.ensembles
        return Outcomes(self.found.outcomes, columns, self.ids, self.found.losses, ensembles)

    @property
    def accuracy(self) -> dict[str, float | None]:
        """The score of the natural images, each threat and ensemble, and their union, in percent.

        That of a threat is the mean over its strengths; the union withstands every search at once.
        None marks a score that cannot be made, because `union_only` left examples out or no threat
        was evaluated.
        """
        scores = self.scores()
        return {NATURAL: scores["natural"], **scores["scores"], "union": scores["union"]}

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each column of the outcome matrix: the search, and the accuracy.

        `strength` counts steps or is a radius, as `by` says; `accuracy` is in percent, None if
        examples were left out.
        """
        values = self.outcomes.values
        return [
            {
                "threat": column.threat,
                "strength": column.strength,
                "by": column.by,
                "restart": column.restart,
                "accuracy": None if (own < 0).any() else 100 * float((own == 1).mean()),
            }
            for column, own in zip(self.outcomes.columns, values.T, strict=True)
        ]

    def scores(self) -> dict[str, Any]:
        """Return natural accuracy, each threat's score, total and union, in percent."""
        return scoring.summary(self.outcomes, self.protocol.scored())

    def arrays(self) -> Stored:
        """Return the outcome matrix, and what else was found, as the arrays that are stored."""
        return {**self.found.stored(), **self.outcomes.to_arrays()}


@runtime_checkable
class Parts(Interface):
    """The store of an evaluation's finished parts, from which it can resume.

    Example:
        >>> class InMemory:
        ...     def __init__(self):
        ...         self.kept = {}
        ...
        ...     def load(self, batch, label):
        ...         return self.kept.get((batch, label))
        ...
        ...     def save(self, batch, label, arrays):
        ...         self.kept[batch, label] = arrays
        >>> parts = InMemory()
        >>> isinstance(parts, Parts)
        True
        >>> from moat.threats import PGD
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> images, labels = torch.rand(4, 1, 8, 8), torch.arange(4)
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=2)
        >>> _ = evaluate(network, (images, labels), pgd, parts=parts)
        >>> sorted(parts.kept)
        [(0, 'natural'), (0, 'pgd')]
    """

    def load(self, batch: int, label: str) -> Stored | None:
        """Return the kept results of a threat on a batch, or None."""

    def save(self, batch: int, label: str, arrays: Stored) -> None:
        """Keep it."""


@guarded_evaluation
@guarded_network
@plain_torch()
def evaluate(
    model: nn.Module,
    data: Any,
    protocol: Protocol | Mapping[str, Threat] | Sequence[Threat] | Threat,
    *,
    pass_size: int | None = None,
    memory: float = DEVICE_MEMORY,
    progress: Callable[[EvaluationProgress], None] | None = None,
    parts: Parts | None = None,
) -> Evaluation:
    """Evaluate a model under a protocol, on the test split or on given images.

    `data` are Data (its test split), a Split, a pair (images, labels), a DataLoader, or a torch
    Dataset; images in [0, 1] or bytes. `protocol` may be given by its threats alone: a table, a
    list, whose labels are their names, or one threat.

    The model maps images in [0, 1] to logits and is left unchanged. It is evaluated on the device
    of its parameters, in float32 with TF32 off, whatever its training precision. Images of more
    than `memory` GiB are moved there batch by batch. `progress` receives each threat and batch;
    `parts` keeps them, and kept parts are not searched again. Raises ModelError, before any search,
    for an invalid model.

    An example costs one forward for the natural image and, for each gradient threat, as many
    forwards and backwards as its largest count of iterations, plus one forward; less if it falls by
    any iterate.

    The searches and passes use at most `protocol.memory` GiB (default: by device): as many examples
    and restarts climb together as fit, which changes results only by rounding. A pass beyond the
    device's memory is halved. Raises MoatError if one example of one restart does not fit.

    Example:
        >>> from moat.data import Digits
        >>> from moat.threats import PGD
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> pgd = PGD(epsilon=0.1, step_size=0.02)
        >>> protocol = Protocol({"pgd": pgd}, at_steps={"pgd": (2, 4)}, examples=20)
        >>> evaluate(network, Digits().load(), protocol).outcomes.values.shape
        (20, 3)
    """
    assert isinstance(protocol, Protocol)  # as the guard hands it on
    split = data.test if isinstance(data, Data) else data
    protocol.require_channels(split.images.shape[1])
    split = evaluated(split, protocol)
    device = home_of(model)
    classes = len(data.classes) if isinstance(data, Data) else None
    if classes is not None:
        protocol.require_classes(classes)
    batches: list[Found] = []
    told = Telling(protocol, len(split), -(-len(split) // BATCH), progress)
    with tensor_float_32(False):
        for number, (images, labels) in enumerate(
            stored_in_order(split.near(device, memory), BATCH, device)
        ):
            if number == 0:
                seen = examined(model, float_images(images[:FEW_EXAMINED]), classes)
                require_classes(seen.classes, largest_of(split.labels))
                warn_of_channels_last(model, images.shape)
                room = room_for(
                    protocol,
                    images.shape,
                    device,
                    image=seen.image_bytes,
                    pass_size=pass_size,
                    classes=seen.classes,
                )
                told.settle(room, room.needed(protocol))
            batch = Batch(model, images, labels, protocol, number, room)
            batches.append(_evaluate_batch(batch, parts, told))
    warn_of_infinite_logits(told.infinite, f"{len(split)} image(s)")
    return Evaluation(below(batches), split.ids.cpu().numpy(), protocol, told.pass_size)


def evaluated(split: Split, protocol: Protocol) -> Split:
    """Return the examples that a protocol looks at, in the order of the split."""
    count = len(split) if protocol.examples is None else min(protocol.examples, len(split))
    if count == len(split):
        return split
    if protocol.sample == "first":
        return split.take(torch.arange(count))
    return sample(split, count, protocol.seed)


def _evaluate_batch(batch: Batch, parts: Parts | None, told: Telling) -> Found:
    """Search every threat on one batch, unless that was done before."""
    found: dict[str, Found] = {}
    number, protocol = batch.number, batch.protocol
    for label in (NATURAL, *protocol.order()):
        told.begin(label, number)
        kept = parts.load(number, label) if parts else None
        if kept is not None:
            found[label] = Found.of(kept)
        elif label == NATURAL:
            found[label], infinite = natural_images(batch)
            told.infinite += infinite
        else:
            natural = found[NATURAL].outcomes[:, 0] == 1
            standing = np.ones_like(natural)
            if protocol.union_only:
                standing = ~np.any([(one.outcomes == 0).any(1) for one in found.values()], axis=0)
            found[label] = search_threat(batch, label, standing, natural)
        if parts and kept is None:
            parts.save(number, label, found[label].stored())
        told.end(label, number, found[label])
    return beside([found[label] for label in (NATURAL, *protocol.threats)])
