"""Tensors of torch's own type from tensors of a subclass."""

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor

from moat.errors import ModelError


def plain_tensor(value: Tensor, what: str) -> Tensor:
    """Return a tensor as torch's own type, the graph behind it included.

    A subclass may compute in another way than torch, or not at all. Raises ModelError that names
    `what` it is, if a plain tensor cannot have its numbers: sharded, masked, fake, or batched by
    torch.func.
    """
    if is_functorch_wrapped_tensor(value):
        raise ModelError(
            f"{what} are within torch.func (vmap, grad, jvp), which hides their values.",
            hint="Call it outside, on the whole batch: examples stay independent.",
        )
    kind = type(value)
    if kind is Tensor:
        return value
    if _computes_in_its_own_way(kind):
        raise ModelError(
            f"{what} are of type {kind.__name__}, a tensor with arithmetic of its own.",
            hint="Use its plain tensor: x.full_tensor(), x.dequantize(), x.get_data(), or its "
            "library's method.",
        )
    with torch._C.DisableTorchFunctionSubclass():
        return value.as_subclass(Tensor)


def require_own_functions(value: Tensor) -> None:
    """Raise ModelError for logits of a type that overrides torch's functions."""
    kind = type(value)
    own = kind.__torch_function__
    usual = (Tensor.__torch_function__, torch._C._disabled_torch_function_impl)
    if getattr(own, "__func__", own) not in [getattr(one, "__func__", one) for one in usual]:
        raise ModelError(
            f"the model returns logits of type {kind.__name__}, which redefines torch's functions.",
            hint="End its forward with logits.as_subclass(torch.Tensor).",
        )


def _computes_in_its_own_way(kind: type[Tensor]) -> bool:
    own = getattr(kind, "__torch_dispatch__", None)
    usual = (Tensor.__torch_dispatch__, torch._C._disabled_torch_dispatch_impl)
    return own is not None and getattr(own, "__func__", own) not in [
        getattr(one, "__func__", one) for one in usual
    ]
