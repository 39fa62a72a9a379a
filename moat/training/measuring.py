"""From the images of each objective to losses, pass by pass.

A network with batch norm takes one forward for the natural images and one for all adversarial
images, and neither is ever cut: its output depends on the other images in the batch.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from moat.losses import is_correct
from moat.objectives import LossMatrix
from moat.passes import Pass, Segment, cut
from moat.training.craft import Examples
from moat.training.descent_loss import loss_of
from moat.training.faults import require_faultless, weight_faults
from moat.training.shared_forwards import answers_of, linked_passes
from moat.training.terms import lone_loss
from moat.transfers import send


def passes_for(
    model: nn.Module, lengths: Sequence[int], pass_size: int, *, apart: bool = False
) -> list[Pass]:
    """Cut the objectives' images into passes; with `apart`, no two objectives share a pass.

    Batch norm's two forwards are whole, whatever the pass size.
    """
    whole = [Segment(which, 0, length) for which, length in enumerate(lengths) if length]
    if has_batch_norm(model):
        natural = [segment for segment in whole if segment.which == 0]
        adversarial = [segment for segment in whole if segment.which > 0]
        return [segments for segments in (natural, adversarial) if segments]
    return _passes_apart(lengths, pass_size) if apart else cut(lengths, pass_size)


def _passes_apart(lengths: Sequence[int], pass_size: int) -> list[Pass]:
    return [
        [Segment(which, segment.start, segment.stop)]
        for which, length in enumerate(lengths)
        for (segment,) in cut([length], pass_size)
    ]


def has_batch_norm(model: nn.Module) -> bool:
    """Say whether, in train mode, a network's logits depend on the other images in a forward."""
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())


def passes_of(
    model: nn.Module,
    examples: Examples,
    pass_size: int,
    *,
    apart: bool = False,
    independent: bool = False,
) -> list[Pass]:
    """Cut a step's images into passes; images whose losses use each other's logits share one.

    `independent`: the mode of the search, in which the logits of an image depend on it alone.
    """
    terms = [term for term in examples.terms if len(term.own.images)]
    if any(kind.partner for term in terms for kind in term.kinds):
        whole = not independent and has_batch_norm(model)
        return linked_passes(examples.terms, pass_size, apart=apart, whole=whole)
    if independent:
        lengths = examples.lengths()
        return _passes_apart(lengths, pass_size) if apart else cut(lengths, pass_size)
    return passes_for(model, examples.lengths(), pass_size, apart=apart)


def losses_of(
    model: nn.Module, examples: Examples, segments: Pass, seen_by: "Measured | None" = None
) -> list[Tensor]:
    """Return the losses of each segment of a pass, (images,) each, times their examples' weights.

    `seen_by` records which of its examples are classified correctly.
    """
    terms, labels = [examples.terms[s.which] for s in segments], examples.labels_of(segments)
    if (loss := lone_loss(terms)) is not None:
        own = zip(terms, segments, strict=True)
        logits = model(torch.cat([term.own.images[s.rows] for term, s in own]))
        losses = list(split_by_segment(loss_of(loss, logits, labels), segments))
    else:
        answers = answers_of(model, terms, segments, sides=has_batch_norm(model))
        parts = zip(terms, answers, split_by_segment(labels, segments), segments, strict=True)
        losses = [term.losses(answer, y, s.rows) for term, answer, y, s in parts]
        logits = torch.cat([answer.own.detach() for answer in answers])
    if seen_by is not None:
        seen_by.keep_correct(segments, is_correct(logits.detach(), labels))
    weights = examples.example_weights
    if weights is None:
        return losses
    return [loss * weights[s.which][s.rows] for loss, s in zip(losses, segments, strict=True)]


def split_by_segment(per_example: Tensor, segments: Pass) -> Sequence[Tensor]:
    """Return the part of each segment of a pass."""
    return torch.split(per_example, [s.stop - s.start for s in segments])


def weighted_sum(losses: Sequence[Tensor], shares: Sequence[Tensor]) -> Tensor:
    """Return the weighted sum of a pass; the share of a segment is a scalar or per example."""
    parts = zip(losses, shares, strict=True)
    return torch.stack([(own * share).sum() for own, share in parts]).sum()


def usable(weights: Tensor, losses: LossMatrix) -> Tensor:
    """Return the scalarizer's weights; raise DefinitionError for invalid ones.

    Weights are finite, and zero for objectives outside the scalarizer's plan. On a GPU they are not
    read here, since the host would wait; `Descent.faults` reports them later.
    """
    if weights.device.type == "cpu":
        sound = [False] * len(losses.names)
        require_faultless([sound, *weight_faults(weights, losses.measured).tolist()], losses.names)
    return weights


class Measured:
    """Losses filled in pass by pass; unmeasured ones stay NaN."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        shape = (len(examples.names), examples.batch)
        self.values = examples.images[0].new_full(shape, float("nan"))
        self.correct = torch.zeros_like(self.values, dtype=torch.bool)

    def keep(self, segments: Pass, losses: Sequence[Tensor]) -> None:
        """Fill in the losses of a pass."""
        found = [own.detach().to(self.values.dtype) for own in losses]
        self._fill(self.values, segments, found)

    def keep_correct(self, segments: Pass, correct: Tensor) -> None:
        """Fill in which examples of a pass are classified correctly."""
        self._fill(self.correct, segments, split_by_segment(correct, segments))

    def _fill(self, matrix: Tensor, segments: Pass, found: Sequence[Tensor]) -> None:
        for segment, own in zip(segments, found, strict=True):
            matrix[segment.which, self.examples.positions(segment.which, segment.rows)] = own

    def matrix(self) -> LossMatrix:
        """Return the losses so far."""
        measured = None
        if not all(rows == slice(0, self.examples.batch) for rows in self.examples.rows):
            measured = send(self.examples.planned, self.values.device)
        return LossMatrix(self.values, self.examples.names, self.correct, measured)
