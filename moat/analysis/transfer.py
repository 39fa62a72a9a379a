"""Transfer: the images that the searches find on each model, shown to each other model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from moat.analysis.batches import all_rows, batches_of, evaluated_examples, require_threats
from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
from moat.data import Split
from moat.errors import AnalysisError
from moat.evaluation.batch import Batch
from moat.evaluation.searching import searched_images
from moat.losses import is_correct
from moat.names import NATURAL
from moat.outcomes.intervals import mean_interval, share_interval
from moat.precision import plain_torch, tensor_float_32
from moat.public import public_at_once
from moat.records import Analysis, AnalysisFinding, AnalysisSubject, NamedArray
from moat.runs.arrays import Arrays
from moat.types import Images

_AXES = ("source", "target", "threat")


@public_at_once
@plain_torch()
def transfer(
    models: Mapping[str, nn.Module],
    data: Any,
    protocol: Any,
    *,
    threats: Sequence[str] = (),
    pass_size: int | None = None,
    parts: AnalysisParts | None = None,
    progress: AnalysisProgress | None = None,
) -> Analysis:
    """Search on each model, and show the images found there to every model.

    The searches are those of the protocol at each threat's largest strength; `threats` names some
    of them. `data` and `protocol` are as for `moat.evaluation.evaluate`. Arrays, with axes source,
    target, threat: `accuracy` (%) of the target on the source's images and its 95 % interval,
    `difference` (percentage points) to the target's accuracy on the images found on itself, paired
    by example, `further` (%): the examples that withstand the target's own search and fall to the
    source's images; `correct` has a further axis, the example. `natural` (%) is each target's
    accuracy on the unmodified images. On the diagonal the outcomes are those of the evaluation.

    A finding with `is_warning` says where another model's images fell more than the target's own
    search, by more than its interval: then that search is too weak. Raises AnalysisError for fewer
    than two models and for a threat that the protocol lacks.

    Example:
        >>> import torch
        >>> from moat.threats import PGD
        >>> pair = {name: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)) for name in "ab"}
        >>> images, labels = torch.rand(20, 1, 8, 8), torch.arange(20) % 10
        >>> found = transfer(pair, (images, labels), PGD(epsilon=0.1, step_size=0.02, steps=2))
        >>> found["accuracy"].shape, found.coordinates("threat")
        ((2, 2, 1), ['pgd'])
    """
    if len(models) < 2:
        raise AnalysisError(
            f"transfer needs two models or more, not {len(models)}.",
            where="models",
            hint="Name several runs: moat analyze transfer RUN RUN...",
        )
    split, classes, stated = evaluated_examples(data, protocol)
    labels = require_threats(stated, threats)
    each = len(split) * sum(stated.cost(label) + len(models) / 3 for label in labels)
    work = AnalysisWork(of=len(models) * each, progress=progress, parts=parts)
    natural, correct = [], []
    with tensor_float_32(False):
        for name, model in models.items():
            batches = batches_of(model, split, stated, classes, pass_size=pass_size)
            row = work.part(
                f"{name}/{'/'.join(labels)}",
                each,
                partial(_row, batches, labels, models, work),
            )
            natural.append(row["natural"])
            correct.append(row["correct"])
    right, stood = np.stack(natural), np.stack(correct)
    if stated.falls == "any":  # whose natural image is wrong has fallen
        stood &= right[:, None]
    return _analysis(split, labels, list(models), right, stood)


def _row(
    batches: Any, labels: Sequence[str], models: Mapping[str, nn.Module], work: AnalysisWork
) -> Arrays:
    """Return what every model makes of one model's images: (target, threat, example)."""
    natural: list[NDArray[np.bool_]] = []
    correct: list[NDArray[np.bool_]] = []
    for batch in batches:
        x, y = batch.examples(all_rows(batch))
        natural.append(is_correct(batch.logits(x), y).cpu().numpy())
        by_threat = []
        for label in labels:
            images, _ = searched_images(batch, label, all_rows(batch))
            found = [is_correct(_seen_by(batch, m, images), y) for m in models.values()]
            by_threat.append(np.stack([verdicts.cpu().numpy() for verdicts in found]))
            work.advance(len(batch) * (batch.protocol.cost(label) + len(models) / 3))
        correct.append(np.stack(by_threat, 1))
    return {"natural": np.concatenate(natural), "correct": np.concatenate(correct, -1)}


def _seen_by(batch: Batch, model: nn.Module, images: Images) -> Any:
    """Return the logits of another model for a batch's images."""
    other = Batch(model, batch.images, batch.labels, batch.protocol, batch.number, batch.room)
    return other.logits(images)


def _analysis(
    split: Split,
    labels: Sequence[str],
    names: Sequence[str],
    natural: NDArray[np.bool_],
    correct: NDArray[np.bool_],
) -> Analysis:
    """Return the analysis of the verdicts (source, target, threat, example)."""
    count = correct.shape[-1]
    low, high = share_interval(correct.sum(-1), count)
    own = correct[np.arange(len(names)), np.arange(len(names))]  # (target, threat, example)
    apart = correct.astype(np.float64) - own
    apart_low, apart_high = mean_interval(apart, (-1.0, 1.0))
    same = np.eye(len(names), dtype=bool)[..., None]
    arrays = {
        "source": NamedArray(np.array(names), ("source",)),
        "target": NamedArray(np.array(names), ("target",)),
        "threat": NamedArray(np.array(labels), ("threat",)),
        "example": NamedArray(split.ids.cpu().numpy(), ("example",)),
        "accuracy": NamedArray(100 * correct.mean(-1), _AXES, "%"),
        "accuracy_low": NamedArray(low, _AXES, "%"),
        "accuracy_high": NamedArray(high, _AXES, "%"),
        "difference": NamedArray(100 * apart.mean(-1), _AXES, "percentage points"),
        "difference_low": NamedArray(
            np.where(same, 0.0, 100 * apart_low), _AXES, "percentage points"
        ),
        "difference_high": NamedArray(
            np.where(same, 0.0, 100 * apart_high), _AXES, "percentage points"
        ),
        "further": NamedArray(100 * (own & ~correct).mean(-1), _AXES, "%"),
        NATURAL: NamedArray(100 * natural.mean(-1), ("target",), "%"),
        "correct": NamedArray(correct.astype(np.int8), (*_AXES, "example"), in_table=False),
    }
    found = Analysis(
        "transfer",
        arrays,
        subjects=tuple(map(AnalysisSubject, names)),
        settings={"threats": list(labels), "examples": count},
        notes=(_NOTE,),
    )
    return replace(found, findings=tuple(_findings(found)))


def _findings(found: Analysis) -> list[AnalysisFinding]:
    """Return for each target and threat the source that fells most, if it beats the own search."""
    findings = []
    names, labels = found.coordinates("source"), found.coordinates("threat")
    for t, target in enumerate(names):
        for n, label in enumerate(labels):
            s = int(found["difference"][:, t, n].argmin())
            value, low, high = (
                float(found[f"difference{end}"][s, t, n]) for end in ("", "_low", "_high")
            )
            if high < 0:
                findings.append(
                    AnalysisFinding(
                        f"{label}: images found on {names[s]} fell more examples of {target} than "
                        f"its own search, so that search is too weak",
                        value,
                        low,
                        high,
                        "percentage points",
                        is_warning=True,
                    )
                )
    return findings or [AnalysisFinding("no model's images fell more examples than the own search")]


_NOTE = (
    "Accuracy of the target (columns, %) on images that the searches found on the source "
    "(rows), at each threat's largest strength. Off the diagonal, with a sign: the difference to "
    "the target's own images, in percentage points, paired by example. A heavy frame: more fell "
    "than to the own search, by more than the 95 % interval over test examples."
)
