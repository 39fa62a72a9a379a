"""The precision of computation: TF32 on CUDA, and the effect of a caller's settings."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial

import torch

Context = Callable[[], AbstractContextManager[object]]

_DEVICES = ("cpu", "cuda")


@contextmanager
def tensor_float_32(enabled: bool) -> Iterator[None]:
    """Let CUDA round matrix products and convolutions to TF32, or not, and then as before."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = (matmul.allow_tf32, cudnn.allow_tf32)
    try:
        matmul.allow_tf32 = cudnn.allow_tf32 = enabled
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


@contextmanager
def without_autocast() -> Iterator[Context]:
    """Compute in the tensors' own types; yield a context in which the caller's autocast is back.

    Half precision is meant for a network. In a sampling grid of 224 pixels it moves points by a
    third of a pixel.

    Example:
        >>> one = torch.ones(1, 1)
        >>> with torch.autocast("cpu", torch.bfloat16), without_autocast() as as_before:
        ...     with as_before():
        ...         rounded = one @ one
        ...     exact = one @ one
        >>> rounded.dtype, exact.dtype
        (torch.bfloat16, torch.float32)
    """
    devices = [device for device in _DEVICES if torch.is_autocast_enabled(device)]
    cached = torch.is_autocast_cache_enabled()
    before = [
        partial(torch.autocast, device, torch.get_autocast_dtype(device), cache_enabled=cached)
        for device in devices
    ]
    with _all(partial(torch.autocast, device, enabled=False) for device in devices):
        yield partial(_all, before)


@contextmanager
def plain_torch() -> Iterator[Context]:
    """Compute with torch's own settings; yield a context of the caller's.

    New tensors are float32 and lie on the CPU unless they say otherwise, nothing is rounded by
    autocast, and gradients are made on request: so no setting of the caller's changes a number.
    It is a decorator as well.

    Example:
        >>> torch.set_default_dtype(torch.float64)
        >>> with torch.no_grad(), plain_torch() as as_before:
        ...     plain = torch.ones(1).dtype, torch.is_grad_enabled()
        ...     with as_before():
        ...         before = torch.ones(1).dtype
        >>> torch.set_default_dtype(torch.float32)
        >>> plain, before
        ((torch.float32, True), torch.float64)
    """
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    plain: list[Context] = []
    callers: list[Context] = []
    if dtype != torch.float32:
        plain.append(partial(_default_dtype, torch.float32))
        callers.append(partial(_default_dtype, dtype))
    if device.type != "cpu":
        plain.append(partial(torch.device, "cpu"))
        callers.append(partial(torch.device, device))
    plain += [partial(torch.inference_mode, False), torch.enable_grad]
    with without_autocast() as autocast, _all(plain):
        yield partial(_all, [autocast, *callers])


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def _all(contexts: Iterable[Context]) -> Iterator[None]:
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context())
        yield
