"""The whole gate: checks of the matrix, and a few further searches on a few examples."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from moat.data import Data, Split, batches_in_order, stratified
from moat.evaluation.evaluator import Evaluation, evaluated
from moat.evaluation.sanity import questions as asked
from moat.evaluation.sanity.matrix_checks import NO_GRADIENT, follows_gradient, matrix_checks
from moat.evaluation.sanity.probes import Probe
from moat.evaluation.sanity.wider import unbounded
from moat.names import NATURAL
from moat.outcomes import NATURAL_COLUMN, WITHSTOOD
from moat.passes import default_pass_size
from moat.precision import plain_torch, tensor_float_32
from moat.records import Check
from moat.threats import home_of
from moat.types import Verdicts

PROBED = 100  # examples
_NO_OTHER = "The study has no other finished run to find images on."


@dataclass(frozen=True, eq=False)
class Other:
    """Another model of the same data, and what it is called."""

    model: nn.Module
    name: str


@plain_torch()
def examine(
    evaluation: Evaluation,
    model: nn.Module,
    data: Data | Split,
    *,
    other: Other | None = None,
    why_no_other: str = _NO_OTHER,
    pass_size: int | None = None,
) -> tuple[Check, ...]:
    """Return the sanity gate of an evaluation: every check with its verdict.

    On 100 of the evaluated examples, every class by its share, steps along and across the gradient
    are compared with what it predicts, and those that stand are searched again: by draws without a
    gradient, by Auto-PGD from another start, on another loss and within ever wider bounds, and by
    images found on the `other` model; without one, `why_no_other` is the answer. `model` and
    `data` are those that were evaluated.
    """
    looked = _looked(evaluation, model, data, pass_size)
    last = _transfer_check(looked, other) if other else no_transfer(why_no_other)
    return (*matrix_checks(evaluation), *_probed(looked), last)


@plain_torch()
def examine_transfer(
    evaluation: Evaluation,
    model: nn.Module,
    data: Data | Split,
    other: Other,
    *,
    pass_size: int | None = None,
) -> Check:
    """Return the last check alone, as `examine` would have made it with this other model."""
    return _transfer_check(_looked(evaluation, model, data, pass_size), other)


def no_transfer(why: str) -> Check:
    """Return the answer to a question that could not be asked."""
    return asked.TRANSFER.answer({}, why)


@dataclass(frozen=True, eq=False)
class _Looked:
    """The examples that are searched again, and which of them stand."""

    probe: Probe
    right: Verdicts
    stood: dict[str, Verdicts]  # by threat, of those that follow a gradient
    count: int


def _looked(
    evaluation: Evaluation, model: nn.Module, data: Data | Split, pass_size: int | None
) -> _Looked:
    labels = [n for n in evaluation.protocol.threats if follows_gradient(evaluation.protocol, n)]
    device = home_of(model)
    split = evaluated(data.test if isinstance(data, Data) else data, evaluation.protocol)
    places = stratified(split.labels, PROBED, evaluation.protocol.seed)
    ((x, y),) = batches_in_order(split.take(places), PROBED, device)
    size = evaluation.pass_size or pass_size or default_pass_size(device)
    probe = Probe(model, x, y, evaluation.protocol, size)
    right = _standing(evaluation, None, places).to(device)
    stood = {label: _standing(evaluation, label, places).to(device) for label in labels}
    return _Looked(probe, right, stood, len(places))


def _transfer_check(looked: _Looked, other: Other) -> Check:
    """Return the share of standing examples that fall to images found on another model."""
    with tensor_float_32(False):
        felled = {
            label: now & ~looked.probe.transferred(label, other.model, now)
            for label, now in looked.stood.items()
        }
        return asked.TRANSFER.answer(
            _percent(felled), NO_GRADIENT, other=other.name, probed=looked.count
        )


def _probed(looked: _Looked) -> Iterator[Check]:
    """Yield what searching a few examples again tells, without another model."""
    probe, right, stood = looked.probe, looked.right, looked.stood
    known, labels = {"probed": looked.count}, list(stood)
    with tensor_float_32(False):
        held = _confidence(probe, right) if labels else {}
        yield asked.CONFIDENCE.answer(held, _NONE_RIGHT if labels else NO_GRADIENT)
        for question, again in (
            (asked.DIFFERENCES, probe.as_predicted),
            (asked.RANDOM, probe.at_random),
            (asked.START, probe.again),
            (asked.BY_RATIO, probe.by_ratio),
        ):
            felled = {label: now & ~again(label, now) for label, now in stood.items()}
            yield question.answer(_percent(felled), NO_GRADIENT, **known)
        left = {label: unbounded(probe, label, right) for label in labels}
        yield asked.UNBOUNDED.answer(_percent(left), NO_GRADIENT, **known)


def _confidence(probe: Probe, right: Verdicts) -> dict[str, float]:
    """Return how far the right answers' log-probabilities lie above chance, in the mean, in nats.

    Of no right answer, nothing.
    """
    logits = probe.logits(probe.x)[right].double()
    if not len(logits):
        return {}
    known = logits.log_softmax(1).gather(1, probe.y[right, None])
    return {NATURAL: math.log(logits.shape[1]) + known.mean().item()}


def _percent(examples: Mapping[str, Verdicts]) -> dict[str, float]:
    return {label: 100 * chosen.double().mean().item() for label, chosen in examples.items()}


def _standing(evaluation: Evaluation, label: str | None, places: Tensor) -> Verdicts:
    """Return which of some examples withstood a threat's largest strength, or are correct."""
    outcomes = evaluation.outcomes
    column = NATURAL_COLUMN if label is None else max(outcomes.of(label), key=lambda c: c.strength)
    return torch.from_numpy(np.asarray(outcomes.verdict(column) == WITHSTOOD))[places]


_NONE_RIGHT = "None of the probed examples is classified correctly."
