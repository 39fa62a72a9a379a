"""Products of the Hessian of the climbed loss in `w` with vectors, for a pass of examples."""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor

from moat.analysis.climbed_loss import ClimbedLoss
from moat.analysis.lanczos import Vectors
from moat.errors import ModelError, is_out_of_memory
from moat.geometry.second_order import SecondOrder
from moat.threats.logits import said
from moat.types import Transform


def hessian_product(loss: ClimbedLoss, w: Transform, chosen: slice) -> Callable[[Vectors], Vectors]:
    """Return v ↦ H v of the chosen examples, all blocks of w laid end to end.

    Examples are independent, so one product of the summed loss serves the whole pass. The forward
    and the first backward are run once; each product costs one backward through both.
    """
    leaves = tuple(block[chosen].detach().requires_grad_() for block in w)
    with SecondOrder(), torch.enable_grad():
        slopes = _differentiated([loss.at(leaves, chosen).sum()], leaves, None)
    _require_second_derivative(slopes)
    curved = [slope for slope in slopes if slope.requires_grad]  # others are linear in w

    def product(vectors: Vectors) -> Vectors:
        if not curved:
            return torch.zeros_like(vectors)
        parts = as_blocks(vectors, w)
        along = [own for own, slope in zip(parts, slopes, strict=True) if slope.requires_grad]
        found = _differentiated(curved, leaves, along)
        return as_vectors(tuple(block.detach() for block in found))

    return product


def as_vectors(w: Transform) -> Vectors:
    """Return the blocks of w laid end to end, (batch, entries)."""
    return torch.cat([block.flatten(1) for block in w], dim=1)


def as_blocks(vectors: Vectors, like: Transform) -> Transform:
    """Return vectors cut into blocks of the shapes of w."""
    parts = vectors.split([prod(block.shape[1:]) for block in like], dim=1)
    return tuple(
        part.reshape(-1, *block.shape[1:]) for part, block in zip(parts, like, strict=True)
    )


def _differentiated(
    values: list[Tensor], w: Transform, along: list[Tensor] | None
) -> tuple[Tensor, ...]:
    """Return the gradient, its graph kept where it is the first."""
    try:
        return torch.autograd.grad(
            values,
            w,
            along,
            create_graph=along is None,
            retain_graph=True,
            materialize_grads=True,
        )
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise _once_only(said(error)) from error


def _require_second_derivative(slopes: tuple[Tensor, ...]) -> None:
    """Raise ModelError for a graph with a node that only fails once it is run backwards.

    torch runs no node that leads to no leaf, and would return zeros.
    """
    waiting = [slope.grad_fn for slope in slopes]
    seen = set[Any]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        if node.name().rpartition("::")[2] in ("Error", "DelayedError", "NotImplemented"):
            raise _once_only("an operation has a first derivative alone")
        seen.add(node)
        waiting += [following for following, _ in node.next_functions]


def _once_only(why: str) -> ModelError:
    return ModelError(
        f"the loss cannot be differentiated twice ({why}).",
        hint="Look for an operation without a second derivative in the network or the threat's "
        "apply: a custom autograd function, or a fused attention kernel "
        "(torch.nn.attention.sdpa_kernel(SDPBackend.MATH) replaces it).",
    )
