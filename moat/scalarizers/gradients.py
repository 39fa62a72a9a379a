"""Gradients of objectives, each flattened to one row."""

from collections.abc import Sequence

import torch
from torch import Tensor


def flat_gradient(loss: Tensor, parameters: Sequence[Tensor], *, more: bool) -> Tensor | None:
    """Return the gradient of a loss as one row (parameters,), None if it reaches no parameter.

    A parameter that the loss does not reach has the gradient 0. `more` keeps the graph for another
    gradient.
    """
    parts = torch.autograd.grad(loss, parameters, retain_graph=more, allow_unused=True)
    if all(part is None for part in parts):
        return None
    pairs = zip(parts, parameters, strict=True)
    dense = [torch.zeros_like(own) if part is None else part.to_dense() for part, own in pairs]
    return torch.cat([part.reshape(-1) for part in dense])
