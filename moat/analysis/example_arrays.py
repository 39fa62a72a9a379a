"""The arrays of one model's adversarial examples: images, answers, displacements, iterates."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from moat.analysis.iterates import as_bytes, batch_rows, search_iterates
from moat.analysis.parts import AnalysisWork
from moat.evaluation.batch import BATCH, Batch
from moat.evaluation.search_results import Rows
from moat.evaluation.searching import searched_images
from moat.geometry.grids import identity_grid
from moat.names import NATURAL
from moat.runs.arrays import Arrays
from moat.threats import Moving
from moat.types import Images, Transform


def batches_with(batches: Iterator[Batch], places: Rows) -> Iterator[tuple[Batch, Rows]]:
    """Yield the batches that hold examples of the choice, with their rows."""
    for batch in batches:
        rows = batch_rows(places, batch.number, BATCH)
        if len(rows):
            yield batch, rows


def arrays_of_model(
    batches: Iterator[tuple[Batch, Rows]],
    labels: Sequence[str],
    iterates: bool,
    work: AnalysisWork,
) -> Arrays:
    """Return the arrays of one model, by name, threats first, then examples."""
    parts: list[dict[str, Any]] = []
    for batch, rows in batches:
        x, y = batch.examples(rows)
        natural = _answers(batch, x, y)
        part = {f"{NATURAL}_{key}": value for key, value in natural.items()}
        of_threats = []
        for label in labels:
            of_threats.append(_of_threat(batch, label, rows, iterates))
            work.advance(len(rows) * batch.protocol.cost(label))
        longest = max((len(one["film"]) for one in of_threats if "film" in one), default=0)
        for key in of_threats[0]:
            part[key] = np.stack([_padded(key, one[key], longest) for one in of_threats])
        parts.append(part)
    return {
        key: np.concatenate([part[key] for part in parts], _example_axis(key)) for key in parts[0]
    }


def _of_threat(batch: Batch, label: str, rows: Rows, iterates: bool) -> dict[str, Any]:
    """Return what one threat makes of some examples."""
    x, y = batch.examples(rows)
    film: dict[str, Any] = {}
    w: Transform | None
    if iterates:
        found = search_iterates(batch, label, rows)
        images, w = found.images[-1], found.w
        answers = [_answers(batch, one, y) for one in found.images]
        film["film"] = as_bytes(found.images)
        film["film_step"] = np.repeat(np.array(found.counts)[:, None], len(rows), 1)
        for key in ("predicted", "confidence"):
            film[f"film_{key}"] = np.stack([one[key] for one in answers])
    else:
        images, w = searched_images(batch, label, rows)
    moved = _displacement(batch.protocol.threats[label], x, w)
    return {"adversarial": as_bytes(images), **_answers(batch, images, y), **moved, **film}


def _answers(batch: Batch, images: Images, y: Tensor) -> dict[str, Any]:
    """Return the predicted class, its confidence and that of the label, in percent."""
    shares = 100 * batch.logits(images).double().softmax(1)
    top, predicted = shares.max(1)
    return {
        "predicted": predicted.cpu().numpy(),
        "confidence": top.cpu().numpy(),
        "label_confidence": shares.gather(1, y[:, None])[:, 0].cpu().numpy(),
    }


def _displacement(threat: object, x: Images, w: Transform | None) -> dict[str, Any]:
    if w is None or not isinstance(threat, Moving):
        shape = (len(x), *x.shape[2:], 2)
        return {"displacement": np.full(shape, np.nan, dtype=np.float32)}
    moved = threat.grid(x, w) - identity_grid(x)
    return {"displacement": moved.float().cpu().numpy()}


def _padded(key: str, array: Any, length: int) -> Any:
    """Return the iterates of a threat, the last repeated up to the length of the longest film."""
    if not key.startswith("film"):
        return array
    return np.concatenate([array, np.repeat(array[-1:], length - len(array), 0)])


def _example_axis(key: str) -> int:
    return 0 if key.startswith(NATURAL) else 2 if key.startswith("film") else 1
