"""How exactly CUDA multiplies."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
