"""The state of a model that a search must leave: flags, gradients, parameters and buffers."""

import torch
from torch import Tensor, nn

from moat.threats import Threat

ModelState = dict[str, dict[str, object]]
"""Values by what they are, then by the name of the module or parameter."""


def disturbed(model: nn.Module, training: bool) -> ModelState:
    """Give the model mixed flags and a few gradients, as one in use has, and return its state."""
    model.train(training)
    next(model.children(), model).train(not training)
    for number, parameter in enumerate(model.parameters()):
        parameter.requires_grad_(number % 3 != 1)
        parameter.grad = torch.ones_like(parameter) if number % 2 else None
    return state_of(model)


def state_of(model: nn.Module) -> ModelState:
    """Return a copy of all that a search must leave alone."""
    parameters = dict(model.named_parameters())
    return {
        "train/eval flag": {name: module.training for name, module in model.named_modules()},
        "requires_grad": {name: p.requires_grad for name, p in parameters.items()},
        ".grad": {n: None if p.grad is None else p.grad.clone() for n, p in parameters.items()},
        "value": {name: value.clone() for name, value in model.state_dict().items()},
    }


def require_same(threat: Threat, before: ModelState, after: ModelState, cause: str) -> None:
    """Raise AssertionError that names the first thing that changed."""
    for what, values in before.items():
        for name, value in values.items():
            assert _same(value, after[what][name]), (
                f"{threat!r}: {cause} changed the {what} of {name or 'the model'!r}."
            )


def _same(a: object, b: object) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return torch.equal(a, b)
    return a is b
