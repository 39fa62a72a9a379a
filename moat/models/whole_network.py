"""A network from its model, complete: every weight has a shape and a place of its own."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from moat.environment import same_folder
from moat.models.base import Model
from moat.precision import plain_torch
from moat.public import public


@public
@plain_torch()
def built(model: Model, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Return the network for images of that shape, ready for training or for weights.

    Lazy layers are called once to draw their weights; an expanded tensor is copied, so that values
    can be loaded into it.

    Example:
        >>> from moat.models import TinyCNN
        >>> network = built(TinyCNN(), (1, 8, 8), classes=10)
        >>> network(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """
    with same_folder():
        network = model.build(shape, classes)
        if any(is_lazy(value) for value in _values(network)):
            _call_once(network, shape)
    for value in _values(network):
        if any(step == 0 and size > 1 for step, size in zip(*_steps(value), strict=True)):
            value.data = value.data.clone(memory_format=torch.contiguous_format)
    return network


def _values(network: nn.Module) -> Iterator[Tensor]:
    yield from network.parameters()
    yield from network.buffers()


def _steps(value: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if value.layout != torch.strided:
        return (), ()
    return value.stride(), tuple(value.shape)


def _call_once(network: nn.Module, shape: tuple[int, int, int]) -> None:
    training = {module: module.training for module in network.modules()}
    device = next((v.device for v in _values(network) if not is_lazy(v)), torch.device("cpu"))
    with torch.no_grad():
        network.eval()  # which many override and return nothing
        network(torch.zeros(2, *shape, device=device))
    for module, flag in training.items():
        module.training = flag
