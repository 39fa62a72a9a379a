"""Three ways to descend, by what the scalarizer must see: the weights are fixed, θ moves.

A network with batch norm takes one forward for the natural images and one for all adversarial
images, and neither is ever cut: its output depends on what shares a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from moat.errors import DefinitionError
from moat.losses import cross_entropy
from moat.objectives import LossMatrix
from moat.passes import Pass, Segment, cut
from moat.scalarizers import GradientScalarizer, LaggedScalarizer, LossScalarizer, Scalarizer
from moat.threats import attacked
from moat.training.craft import Examples
from moat.types import PerExample


@dataclass(frozen=True, eq=False)
class Descent:
    """What one step saw and did: losses, and weights (objectives,) or (objectives, batch)."""

    losses: LossMatrix
    weights: Tensor

    def mean_weights(self) -> Tensor:
        """Return the weights (objectives,), averaged over the batch where they are per example."""
        return self.weights if self.weights.ndim == 1 else self.weights.mean(1)


def descend(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scalarizer: Scalarizer,
    examples: Examples,
    pass_size: int,
) -> Descent:
    """Move the parameters along the gradient of Σ weights · losses (Algorithm 1, line 6)."""
    optimizer.zero_grad(set_to_none=True)
    match scalarizer:
        case LaggedScalarizer():
            descent = _by_lagged_weights(model, scalarizer, examples, pass_size)
        case LossScalarizer():
            descent = _by_losses(model, scalarizer, examples, pass_size)
        case GradientScalarizer():
            descent = _by_gradients(model, scalarizer, examples, pass_size)
        case _:
            raise DefinitionError(
                f"{type(scalarizer).__name__} is none of the three kinds of scalarizer.",
                hint="Inherit from LaggedScalarizer, LossScalarizer or GradientScalarizer.",
            )
    optimizer.step()
    return descent


def _by_lagged_weights(
    model: nn.Module, scalarizer: LaggedScalarizer, examples: Examples, pass_size: int
) -> Descent:
    """The weights exist: measure and backpropagate pass by pass, already weighted."""
    losses = _Measured(examples)
    weights = scalarizer.weights(examples.names).to(losses.values)
    for segments in _passes(model, examples.lengths(), pass_size):
        per_example = _forward(model, examples, segments)
        shares = [weights[s.which] / len(examples.rows[s.which]) for s in segments]
        _weighted(per_example, segments, shares).backward()
        losses.keep(segments, per_example)
    return Descent(losses.matrix(), weights)


def _by_losses(
    model: nn.Module, scalarizer: LossScalarizer, examples: Examples, pass_size: int
) -> Descent:
    """Measure without a graph, choose, then backpropagate only what has a weight above zero."""
    losses = _Measured(examples)
    with attacked(model), torch.no_grad():
        for segments in cut(examples.lengths(), pass_size):
            losses.keep(segments, _forward(model, examples, segments))
    matrix = losses.matrix()
    weights = scalarizer.weights(matrix).to(losses.values)
    spread = weights if weights.ndim == 2 else weights[:, None].expand_as(losses.values)
    chosen = [spread[i, rows] > 0 for i, rows in enumerate(examples.rows)]
    kept = Examples(
        examples.names,
        examples.planned,
        [rows[own] for rows, own in zip(examples.rows, chosen, strict=True)],
        [images[own] for images, own in zip(examples.images, chosen, strict=True)],
        [labels[own] for labels, own in zip(examples.labels, chosen, strict=True)],
        examples.batch,
    )
    for segments in _passes(model, kept.lengths(), pass_size):
        per_example = _forward(model, kept, segments)
        shares = [spread[s.which, kept.rows[s.which][s.rows]] / kept.batch for s in segments]
        _weighted(per_example, segments, shares).backward()
    return Descent(matrix, weights)


def _by_gradients(
    model: nn.Module, scalarizer: GradientScalarizer, examples: Examples, pass_size: int
) -> Descent:
    """One gradient an objective, their Gramian, the weights, and the sum of those gradients."""
    losses = _Measured(examples)
    parameters = [p for p in model.parameters() if p.requires_grad]
    size = sum(parameter.numel() for parameter in parameters)
    gradients = losses.values.new_zeros(len(examples.names), size)
    for segments in _passes(model, examples.lengths(), pass_size, apart=True):
        per_example = _forward(model, examples, segments)
        for segment, own in zip(segments, _parts(per_example, segments), strict=True):
            mean = own.sum() / len(examples.rows[segment.which])
            more = segment is not segments[-1]
            parts = torch.autograd.grad(mean, parameters, retain_graph=more, allow_unused=True)
            gradients[segment.which] += _flat(parts, parameters)
        losses.keep(segments, per_example)
    weights = scalarizer.weights(gradients @ gradients.T, losses.matrix()).to(gradients)
    combined = (weights @ gradients).split([parameter.numel() for parameter in parameters])
    for parameter, gradient in zip(parameters, combined, strict=True):
        parameter.grad = gradient.view_as(parameter).to(parameter.dtype)
    return Descent(losses.matrix(), weights)


def _passes(
    model: nn.Module, lengths: Sequence[int], pass_size: int, *, apart: bool = False
) -> list[Pass]:
    """Cut the objectives' images into passes; `apart`: no two objectives in one pass.

    Batch norm's two forwards are whole, whatever the pass size.
    """
    whole = [Segment(which, 0, length) for which, length in enumerate(lengths) if length]
    if _has_batch_norm(model):
        natural, adversarial = (
            [s for s in whole if s.which == 0],
            [s for s in whole if s.which > 0],
        )
        return [segments for segments in (natural, adversarial) if segments]
    if not apart:
        return cut(lengths, pass_size)
    return [
        [Segment(which, segment.start, segment.stop)]
        for which, length in enumerate(lengths)
        for (segment,) in cut([length], pass_size)
    ]


def _has_batch_norm(model: nn.Module) -> bool:
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())


def _forward(model: nn.Module, examples: Examples, segments: Pass) -> PerExample:
    images = [examples.images[s.which][s.rows] for s in segments]
    labels = [examples.labels[s.which][s.rows] for s in segments]
    return cross_entropy(model(torch.cat(images)), torch.cat(labels))


def _parts(per_example: Tensor, segments: Pass) -> Sequence[Tensor]:
    return torch.split(per_example, [s.stop - s.start for s in segments])


def _weighted(per_example: Tensor, segments: Pass, shares: Sequence[Tensor]) -> Tensor:
    """Return the weighted sum of a pass; the share of a segment is a scalar or per example."""
    parts = zip(_parts(per_example, segments), shares, strict=True)
    return torch.stack([(own * share).sum() for own, share in parts]).sum()


def _flat(parts: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> Tensor:
    filled = [
        torch.zeros_like(parameter) if part is None else part
        for part, parameter in zip(parts, parameters, strict=True)
    ]
    return torch.cat([part.reshape(-1) for part in filled])


class _Measured:
    """Losses filled in pass by pass; what was never measured stays NaN."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        shape = (len(examples.names), examples.batch)
        self.values = examples.images[0].new_full(shape, float("nan"))

    def keep(self, segments: Pass, per_example: PerExample) -> None:
        for segment, own in zip(segments, _parts(per_example.detach(), segments), strict=True):
            rows = self.examples.rows[segment.which][segment.rows]
            self.values[segment.which, rows] = own.to(self.values.dtype)

    def matrix(self) -> LossMatrix:
        return LossMatrix(
            self.values, self.examples.names, measured=self.examples.planned.to(self.values.device)
        )
