"""Three ways to descend, by what the scalarizer must see: the weights are fixed, θ moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from moat.errors import DefinitionError
from moat.objectives import LossMatrix, by_entry
from moat.passes import cut
from moat.public import public
from moat.scalarizers import GradientScalarizer, LaggedScalarizer, LossScalarizer, Scalarizer
from moat.threats import attacked
from moat.training.craft import Examples
from moat.training.faults import (
    loss_faults,
    require_finite,
    require_finite_gradients,
    weight_faults,
)
from moat.training.measuring import (
    Measured,
    losses_of,
    passes_for,
    split_by_segment,
    usable,
    weighted_sum,
)
from moat.training.moving import move
from moat.training.weighing import images_with_weight
from moat.transfers import send


@public
@dataclass(frozen=True, eq=False)
class Descent:
    """What one step saw and did: losses, and weights (objectives,) or (objectives, batch)."""

    losses: LossMatrix
    weights: Tensor

    def faults(self) -> Tensor:
        """Return what no run may go on from, bool (3, objectives); `require_faultless` reads it."""
        weights = weight_faults(self.weights, self.losses.measured)
        return torch.cat([loss_faults(self.losses)[None], weights])

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
    require_finite(descent.losses)
    require_finite_gradients(model)
    move(model, optimizer)
    return descent


def _by_lagged_weights(
    model: nn.Module, scalarizer: LaggedScalarizer, examples: Examples, pass_size: int
) -> Descent:
    """The weights exist: measure and backpropagate pass by pass, already weighted."""
    losses = Measured(examples)
    given = scalarizer.weights(examples.names).to(losses.values.dtype)
    weights = usable(send(given, losses.values.device), losses.matrix())
    for segments in passes_for(model, examples.lengths(), pass_size):
        per_example = losses_of(model, examples, segments, losses)
        shares = [weights[s.which] / len(examples.labels[s.which]) for s in segments]
        weighted_sum(per_example, segments, shares).backward()
        losses.keep(segments, per_example)
    return Descent(losses.matrix(), weights)


def _by_losses(
    model: nn.Module, scalarizer: LossScalarizer, examples: Examples, pass_size: int
) -> Descent:
    """Measure without a graph, choose, then backpropagate only what has a weight."""
    losses = Measured(examples)
    with attacked(model), torch.no_grad():
        for segments in cut(examples.lengths(), pass_size):
            losses.keep(segments, losses_of(model, examples, segments, losses))
    matrix = losses.matrix()
    require_finite(matrix)
    given = scalarizer.weights(matrix).to(losses.values.dtype)
    weights = usable(send(given, losses.values.device), matrix)
    kept, shares = images_with_weight(
        examples, by_entry(weights, examples.batch), scalarizer.support
    )
    for segments in passes_for(model, kept.lengths(), pass_size):
        per_example = losses_of(model, kept, segments)
        own = [shares[s.which][s.rows] / examples.batch for s in segments]
        weighted_sum(per_example, segments, own).backward()
    return Descent(matrix, weights)


def _by_gradients(
    model: nn.Module, scalarizer: GradientScalarizer, examples: Examples, pass_size: int
) -> Descent:
    """One gradient an objective, their Gramian, the weights, and the sum of those gradients."""
    losses = Measured(examples)
    parameters = [p for p in model.parameters() if p.requires_grad]
    size = sum(parameter.numel() for parameter in parameters)
    gradients = losses.values.new_zeros(len(examples.names), size)
    for segments in passes_for(model, examples.lengths(), pass_size, apart=True):
        per_example = losses_of(model, examples, segments, losses)
        for segment, own in zip(segments, split_by_segment(per_example, segments), strict=True):
            mean = own.sum() / len(examples.labels[segment.which])
            more = segment is not segments[-1]
            parts = torch.autograd.grad(mean, parameters, retain_graph=more, allow_unused=True)
            gradients[segment.which] += _flat(parts, parameters)
        losses.keep(segments, per_example)
    require_finite(losses.matrix())
    chosen = scalarizer.weights(gradients @ gradients.T, losses.matrix())
    weights = usable(send(chosen.to(gradients.dtype), gradients.device), losses.matrix())
    combined = (weights @ gradients).split([parameter.numel() for parameter in parameters])
    for parameter, gradient in zip(parameters, combined, strict=True):
        parameter.grad = gradient.view_as(parameter).to(parameter.dtype)
    return Descent(losses.matrix(), weights)


def _flat(parts: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> Tensor:
    """Lay gradients end to end; a parameter that took no part has gradient 0."""
    pairs = zip(parts, parameters, strict=True)
    dense = [torch.zeros_like(own) if part is None else part.to_dense() for part, own in pairs]
    return torch.cat([part.reshape(-1) for part in dense])
