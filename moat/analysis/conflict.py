"""Conflict: cosines between the gradients of the objectives, layer by layer, and the winner."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit
from torch import Tensor, nn

from moat.analysis.batches import all_rows, batches_of, evaluated_examples, require_threats
from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
from moat.analysis.trend_arrays import finding_of, with_ends
from moat.errors import AnalysisError
from moat.evaluation.batch import Batch
from moat.evaluation.searching import searched_images
from moat.losses import cross_entropy
from moat.names import NATURAL
from moat.outcomes import share_interval
from moat.outcomes.intervals import FEWEST_SEEDS, LEVEL
from moat.precision import plain_torch, tensor_float_32
from moat.public import public_at_once
from moat.records import Analysis, AnalysisFinding, AnalysisSubject, NamedArray
from moat.runs.arrays import Arrays
from moat.scalarizers.gradients import flat_gradient
from moat.training.conflict import in_eval_mode, objective_pairs
from moat.training.objective_gradients import cosines_of, layer_gramians, layer_sizes, trainable

NETWORK = "network"
_LAYERED = ("subject", "layer", "pair")


@public_at_once
@plain_torch()
def conflict(
    models: Mapping[str, nn.Module],
    data: Any,
    protocol: Any,
    *,
    threats: Sequence[str] = (),
    batch_size: int = 32,
    parts: AnalysisParts | None = None,
    progress: AnalysisProgress | None = None,
) -> Analysis:
    """Return how far the objectives of each model pull its parameters in one direction.

    The objectives are the cross-entropies of the natural images and of the images that the
    protocol's searches find, at each threat's largest strength; `threats` names some of them.
    `data` and `protocol` are as for `moat.evaluation.evaluate`. `cosine`, with axes subject, layer
    and pair of objectives, is the cosine between the gradients of two mean losses, averaged over
    mini-batches of about `batch_size` test images, with its 95 % interval over these; the first
    layer is the whole network. `wins` (%), with axes subject and threat, is the share of examples
    for which a threat has the largest loss: what `max` would train on.

    The network is in eval mode. `with_logs` adds the conflict over the training.

    Raises AnalysisError for a threat that the protocol lacks, for a batch of no example, and for a
    model without parameters to train.

    Example:
        >>> from moat.threats import PGD
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> images, labels = torch.rand(30, 1, 8, 8), torch.arange(30) % 10
        >>> pgd = PGD(epsilon=0.1, step_size=0.05, steps=2)
        >>> found = conflict({"mine": model}, (images, labels), pgd, batch_size=10)
        >>> found.coordinates("pair"), found["cosine"].shape
        (['natural, pgd'], (1, 2, 1))
    """
    if batch_size < 1:
        raise AnalysisError(f"a batch holds at least one example, not {batch_size}.")
    split, classes, stated = evaluated_examples(data, protocol)
    labels = require_threats(stated, threats)
    for name, model in models.items():
        if not trainable(model):
            raise AnalysisError(
                "the model has no parameter that is trained, so no gradient.",
                where=name,
                hint="Let its parameters require gradients.",
            )
    each = len(split) * (sum(map(stated.cost, labels)) + 1 + len(labels))
    work = AnalysisWork(of=len(models) * each, progress=progress, parts=parts)
    found = {}
    with tensor_float_32(False):
        for name, model in models.items():
            batches = batches_of(model, split, stated, classes)
            measure = partial(_measured, batches, model, labels, batch_size, work)
            found[name] = work.part(f"{name}/{'/'.join(labels)}/{batch_size}", each, measure)
    layers = {name: [NETWORK, *layer_sizes(model)] for name, model in models.items()}
    analysis = _analysis(found, layers, labels)
    counts = [len(arrays["cosines"]) for arrays in found.values()]
    settings = {"threats": list(labels), "examples": len(split), "batch_size": batch_size}
    return replace(analysis, settings=settings, findings=tuple(_findings(analysis, counts)))


def _measured(
    batches: Iterator[Batch],
    model: nn.Module,
    labels: Sequence[str],
    batch_size: int,
    work: AnalysisWork,
) -> Arrays:
    """Return the cosines of each mini-batch, (batches, layers, pairs), and the losses (k, n)."""
    cosines, losses = [], []
    for batch in batches:
        x, y = batch.examples(all_rows(batch))
        images = [x, *(searched_images(batch, label, all_rows(batch))[0] for label in labels)]
        pieces = max(1, round(len(y) / batch_size))
        parts = [one.tensor_split(pieces) for one in (*images, y)]
        for *objectives, y_part in zip(*parts, strict=True):
            gramians, values = gramians_on(model, objectives, y_part, batch.room.pass_size)
            whole = torch.cat([gramians.sum(0, keepdim=True), gramians]).double()
            upper = tuple(zip(*objective_pairs(len(objectives)), strict=True))
            cosines.append(cosines_of(whole)[:, upper[0], upper[1]].cpu().numpy())
            losses.append(values.cpu().numpy())
        work.advance(len(batch) * (sum(map(batch.protocol.cost, labels)) + len(images)))
    return {"cosines": np.stack(cosines), "losses": np.concatenate(losses, 1)}


def gramians_on(
    model: nn.Module, objectives: Sequence[Tensor], y: Tensor, pass_size: int
) -> tuple[Tensor, Tensor]:
    """Return the inner products of the gradients of some objectives' mean losses, and the losses.

    Shapes: (layers, objectives, objectives) and (objectives, images).
    """
    parameters = trainable(model)
    rows, losses = [], []
    with in_eval_mode(model), torch.enable_grad():
        for images in objectives:
            parts = []
            row = torch.zeros(sum(p.numel() for p in parameters), device=y.device)
            for x_part, y_part in zip(images.split(pass_size), y.split(pass_size), strict=True):
                own = cross_entropy(model(x_part), y_part)
                gradient = flat_gradient(own.sum() / len(y), parameters, more=False)
                row = row if gradient is None else row + gradient
                parts.append(own.detach())
            rows.append(row)
            losses.append(torch.cat(parts))
    sizes = list(layer_sizes(model).values())
    return layer_gramians(torch.stack(rows), sizes), torch.stack(losses)


def _analysis(
    found: Mapping[str, Arrays],
    layers: Mapping[str, Sequence[str]],
    labels: Sequence[str],
) -> Analysis:
    objectives = [NATURAL, *labels]
    pairs = [
        f"{objectives[one]}, {objectives[other]}" for one, other in objective_pairs(len(objectives))
    ]
    every = list(dict.fromkeys(layer for names in layers.values() for layer in names))
    cosines = np.full((len(found), len(every), len(pairs), 3), np.nan)
    for place, (name, arrays) in enumerate(found.items()):
        at = [every.index(layer) for layer in layers[name]]
        cosines[place, at] = mean_over_batches(arrays["cosines"])
    winners = [arrays["losses"][1:].argmax(0) for arrays in found.values()]
    counts = np.array([np.bincount(won, minlength=len(labels)) for won in winners])
    examples = np.array([[len(won)] for won in winners])
    wins = np.stack([100 * counts / examples, *share_interval(counts, examples)], -1)
    named = {
        "subject": NamedArray(np.array([*found]), ("subject",)),
        "layer": NamedArray(np.array(every), ("layer",)),
        "pair": NamedArray(np.array(pairs), ("pair",)),
        "threat": NamedArray(np.array(labels), ("threat",)),
        **with_ends("cosine", cosines, _LAYERED),
        **with_ends("wins", wins, ("subject", "threat"), "%"),
    }
    subjects = tuple(map(AnalysisSubject, found))
    return Analysis("conflict", named, subjects=subjects, notes=(_NOTE,))


def mean_over_batches(each: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the mean of cosines over mini-batches (batches, ...) and its interval, (..., 3).

    It is Student's t interval, within [-1, 1]; of fewer than three mini-batches the ends are NaN.
    """
    values = np.asarray(each, np.float64)
    count, mean = len(values), values.mean(0)
    reach = np.full_like(mean, np.nan)
    if count >= FEWEST_SEEDS:
        reach = stdtrit(count - 1, (1 + LEVEL) / 2) * values.std(0, ddof=1) / np.sqrt(count)
    return np.stack([mean, np.maximum(mean - reach, -1), np.minimum(mean + reach, 1)], -1)


def _findings(found: Analysis, counts: Sequence[int]) -> Iterator[AnalysisFinding]:
    """Yield for each subject the pair of objectives with the lowest cosine."""
    pairs = found.coordinates("pair")
    for place, name in enumerate(found.coordinates("subject")):
        whole = [found[f"cosine{end}"][place, 0] for end in ("", "_low", "_high")]
        if np.isnan(whole[0]).all():
            continue
        lowest = int(np.nanargmin(whole[0]))
        ends = [one[lowest] for one in whole]
        yield finding_of(f"{name}: {_verdict(ends, counts[place])} ({pairs[lowest]}), cosine", ends)


def _verdict(ends: Sequence[float], batches: int) -> str:
    _, low, high = ends
    if np.isnan(low):
        some = f"{batches} mini-batch is" if batches == 1 else f"{batches} mini-batches are"
        return f"{some} too few for an interval, a smaller --batch-size gives more; the lowest"
    if high < 0:
        return "objectives conflict"
    return "no objectives conflict; the lowest" if low > 0 else "conflict is open; the lowest"


_NOTE = (
    "Cosine between the gradients of two objectives, over the whole network and in each layer: 1 "
    "if they agree, 0 if they are orthogonal, below 0 in conflict. Mean over mini-batches of test "
    "images, 95 % intervals over these."
)
