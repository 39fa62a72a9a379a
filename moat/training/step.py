"""Algorithm 1 on one screen, whole or up to its gradients."""

from collections.abc import Mapping

import torch
from torch import nn

from moat.names import NATURAL
from moat.scalarizers import Scalarizer
from moat.threats import Threat
from moat.training.craft import craft
from moat.training.descent import Descent, add_gradients
from moat.training.faults import require_finite_gradients
from moat.training.guard import guarded_step
from moat.training.moving import move
from moat.training.objective_losses import require_positive
from moat.training.preference_parts import by_parts, inform
from moat.training.step_settings import WITH_DEFAULTS, StepSettings
from moat.types import Images, Labels


@guarded_step
def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    threats: Mapping[str, Threat],
    scalarizer: Scalarizer,
    x: Images,
    y: Labels,
    settings: StepSettings = WITH_DEFAULTS,
) -> Descent:
    """Take one pass through the body of Algorithm 1, on the batch of its line 2.

    Raises ModelError for an invalid network, images or labels, and NotFiniteError, which is a
    TrainingError and a ValueError, for a non-finite loss, before any parameter moves. Both checks
    read values, for which a GPU makes the host wait. In a loop that must not wait, call it within
    `moat.threats.trusted`, and read the `Descent.faults` of the steps at intervals.

    Example:
        >>> from moat.scalarizers import Average
        >>> from moat.threats import PGD
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        >>> threats = {"pgd": PGD(epsilon=0.1, step_size=0.02, steps=3)}
        >>> x, y = torch.rand(8, 1, 8, 8), torch.arange(8)
        >>> step = train_step(network, optimizer, threats, Average(), x, y)
        >>> step.losses.names, step.losses.values.shape
        (('natural', 'pgd'), torch.Size([2, 8]))
    """
    optimizer.zero_grad(set_to_none=True)
    descent = step_gradients(model, optimizer, threats, scalarizer, x, y, settings)
    require_finite_gradients(model)
    move(model, optimizer)  # line 6: θ moves
    scalarizer.update(descent.losses)  # lines 7-10: θ is fixed, the weights move
    return descent


@guarded_step
def step_gradients(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    threats: Mapping[str, Threat],
    scalarizer: Scalarizer,
    x: Images,
    y: Labels,
    settings: StepSettings = WITH_DEFAULTS,
) -> Descent:
    """Add the gradient of a step to `.grad`; neither parameters nor scalarizer change.

    Existing gradients are kept, and the new ones are added. Raises as `train_step` does.
    """
    names = (NATURAL, *threats)
    require_positive(scalarizer, settings.loss, names)

    def descend(x: Images, y: Labels, settings: StepSettings) -> Descent:
        plan = scalarizer.plan(names, len(x), settings.generator)  # usually: every objective
        inform(model, scalarizer, names)  # of the preference, for a conditioned network
        examples = craft(model, threats, x, y, plan, settings)  # lines 3-4: maximise over w
        if settings.observe is not None:
            settings.observe(examples, x, y)
        return add_gradients(model, scalarizer, examples, settings)  # lines 5-6: the slope at θ

    return by_parts(scalarizer, x, y, settings, descend)  # usually: one
