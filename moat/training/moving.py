"""The optimizer's part of a step: gradients in its form, and its errors by name."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from moat.errors import MoatError, TrainingError
from moat.passes import is_out_of_memory
from moat.threats.logits import UNFIT, said


def move(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Let the optimizer move the parameters along their gradients.

    Sparse gradients, as of an embedding, are made dense, since most optimizers take no others; for
    SparseAdam, which takes only sparse ones, they stay. Raises TrainingError if the optimizer
    refuses.
    """
    if not isinstance(optimizer, torch.optim.SparseAdam):
        for parameter in model.parameters():
            if parameter.grad is not None and parameter.grad.layout != torch.strided:
                parameter.grad = parameter.grad.to_dense()
    try:
        optimizer.step()
    except MoatError:
        raise
    except UNFIT as error:
        if is_out_of_memory(error):
            raise
        raise TrainingError(
            f"the optimizer {type(optimizer).__name__} cannot take the step ({said(error)}).",
            hint="Use one that steps along given gradients without a loss, such as SGD or AdamW. "
            "SparseAdam moves only layers with sparse=True, whose gradients are dense under a "
            "scalarizer of gradients.",
        ) from error


def call_after_steps(optimizer: Any, method: Callable[[], None]) -> bool:
    """Call a method after each step of the optimizer; say whether the optimizer supports that.

    accelerate's optimizers wrap torch's own. The optimizer does not keep the method's object alive.
    """
    known = weakref.WeakMethod(method)

    def call(*_: Any) -> None:
        if (alive := known()) is not None:
            alive()

    while optimizer is not None:
        try:
            optimizer.register_step_post_hook(call)
        except AttributeError:
            optimizer = getattr(optimizer, "optimizer", None)
        else:
            return True
    return False
