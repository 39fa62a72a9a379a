"""Algorithm 1 on one screen."""

from collections.abc import Mapping

import torch
from torch import nn

from moat.names import NATURAL
from moat.scalarizers import Scalarizer
from moat.threats import Threat
from moat.training.craft import craft
from moat.training.descent import Descent, descend
from moat.training.guard import guarded_step
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

    Raises ModelError for a network, images or labels that no step can be made of, and TrainingError
    for a loss that is not finite, before anything moves. Both look at values, for which a GPU makes
    the host wait. In a loop of your own that shall not wait, call it within `moat.threats.trusted`,
    and now and then read `Descent.faults` of the steps since.

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
    names = (NATURAL, *threats)
    plan = scalarizer.plan(names, len(x), settings.generator)  # usually: every objective
    examples = craft(model, threats, x, y, plan, settings)  # lines 3-4: maximise over w
    size = settings.passes_on(x.device)
    descent = descend(model, optimizer, scalarizer, examples, size)  # lines 5-6: θ moves
    scalarizer.update(descent.losses)  # lines 7-10: θ is fixed, the weights move
    return descent
