"""Three ways to descend, one for each kind of scalarizer: the weights are fixed, θ moves."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from moat.errors import DefinitionError
from moat.objectives import LossMatrix
from moat.public import public
from moat.scalarizers import (
    GradientScalarizer,
    LaggedScalarizer,
    LossScalarizer,
    Scalarizer,
)
from moat.threats import attacked
from moat.training.craft import Examples
from moat.training.faults import loss_faults, require_finite, weight_faults
from moat.training.measuring import (
    Measured,
    losses_of,
    passes_of,
    usable,
    weighted_sum,
)
from moat.training.objective_gradients import objective_gradients, trainable
from moat.training.step_settings import StepSettings
from moat.training.weighing import images_with_weight
from moat.transfers import send


@public
@dataclass(frozen=True, eq=False)
class Descent:
    """The result of one step: losses, and weights (objectives,) or (objectives, batch).

    `searched` counts the searched examples, one for each threat.

    Example:
        >>> losses = LossMatrix(torch.tensor([[1.0, 3.0], [4.0, 2.0]]), ("natural", "pgd"))
        >>> descent = Descent(losses, weights=torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
        >>> descent.mean_weights(), descent.faults().any()
        (tensor([0.5000, 0.5000]), tensor(False))
    """

    losses: LossMatrix
    weights: Tensor
    searched: int = 0

    def faults(self) -> Tensor:
        """Return the faults that end a run, bool (3, objectives); see `require_faultless`."""
        weights = weight_faults(self.weights, self.losses.measured)
        return torch.cat([loss_faults(self.losses)[None], weights])

    def mean_weights(self) -> Tensor:
        """Return the weights (objectives,), averaged over the batch if they are per example."""
        return self.weights if self.weights.ndim == 1 else self.weights.mean(1)


def add_gradients(
    model: nn.Module, scalarizer: Scalarizer, examples: Examples, settings: StepSettings
) -> Descent:
    """Add the gradient of Σ weights · losses to that of the parameters (Algorithm 1, line 6)."""
    match scalarizer:
        case LaggedScalarizer():
            descent = _by_lagged_weights(model, scalarizer, examples, settings)
        case LossScalarizer():
            descent = _by_losses(model, scalarizer, examples, settings)
        case GradientScalarizer():
            descent = _by_gradients(model, scalarizer, examples, settings)
        case _:
            raise DefinitionError(
                f"{type(scalarizer).__name__} is not one of the three kinds of scalarizer.",
                hint="Inherit from LaggedScalarizer, LossScalarizer or GradientScalarizer.",
            )
    require_finite(descent.losses)
    return replace(descent, searched=examples.searched)


def _by_lagged_weights(
    model: nn.Module, scalarizer: LaggedScalarizer, examples: Examples, settings: StepSettings
) -> Descent:
    """The weights exist: measure and backpropagate pass by pass, already weighted."""
    losses = Measured(examples)
    given = scalarizer.weights(examples.names).to(losses.values.dtype)
    weights = usable(send(given, losses.values.device), losses.matrix())
    for segments in passes_of(model, examples, _pass_size(examples, settings)):
        found = losses_of(model, examples, segments, losses)
        shares = [weights[s.which] / len(examples.labels[s.which]) for s in segments]
        _scaled(weighted_sum(found, shares), settings).backward()
        losses.keep(segments, found)
    return Descent(losses.matrix(), weights)


def _by_losses(
    model: nn.Module, scalarizer: LossScalarizer, examples: Examples, settings: StepSettings
) -> Descent:
    """Measure without a graph, choose, then backpropagate only what has a weight."""
    losses, pass_size = Measured(examples), _pass_size(examples, settings)
    with attacked(model), torch.no_grad():
        for segments in passes_of(model, examples, pass_size, independent=True):
            losses.keep(segments, losses_of(model, examples, segments, losses))
    matrix = losses.matrix()
    require_finite(matrix)
    given = scalarizer.weights(matrix).to(losses.values.dtype)
    weights = usable(send(given, losses.values.device), matrix)
    kept, shares = images_with_weight(examples, weights, scalarizer.support)
    for segments in passes_of(model, kept, pass_size):
        found = losses_of(model, kept, segments)
        own = [shares[s.which][s.rows] / examples.batch for s in segments]
        _scaled(weighted_sum(found, own), settings).backward()
    return Descent(matrix, weights)


def _by_gradients(
    model: nn.Module, scalarizer: GradientScalarizer, examples: Examples, settings: StepSettings
) -> Descent:
    """One gradient an objective, their Gramian, the weights, and the sum of those gradients."""
    losses, parameters = Measured(examples), trainable(model)
    passes = passes_of(model, examples, _pass_size(examples, settings), apart=True)
    gradients = objective_gradients(model, examples, passes, losses)
    require_finite(losses.matrix())
    chosen = scalarizer.weights(gradients @ gradients.T, losses.matrix())
    weights = usable(send(chosen.to(gradients.dtype), gradients.device), losses.matrix())
    combined = _scaled(weights @ gradients, settings)
    parts = combined.split([parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        gradient = part.view_as(parameter).to(parameter.dtype)
        parameter.grad = gradient if parameter.grad is None else gradient + parameter.grad
    return Descent(losses.matrix(), weights)


def _pass_size(examples: Examples, settings: StepSettings) -> int:
    return settings.passes_on(examples.images[0].device)


def _scaled(value: Tensor, settings: StepSettings) -> Tensor:
    """Return what is differentiated, or a gradient, times the scale of the step."""
    unscaled = not isinstance(settings.scale, Tensor) and settings.scale == 1
    return value if unscaled else value * settings.scale
