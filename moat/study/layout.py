"""The memory layout of a network's weights: channels last if the network allows it."""

import copy

import torch
from torch import Tensor, nn

from moat.models import Model
from moat.passes import is_out_of_memory
from moat.threats import home_of, to_eval

CLOSE = 1e-3  # relative: what the layout may change of a logit by rounding


def laid_out(model: nn.Module) -> nn.Module:
    """Return the model with channels last in memory: a tenth faster, and equal up to rounding.

    A run is trained, evaluated and loaded in the same layout, so that its results are reproducible.
    """
    return model.to(memory_format=torch.channels_last)


def best_layout(made: Model, network: nn.Module, shape: tuple[int, int, int]) -> nn.Module:
    """Return a network in the faster of the layouts that it supports.

    A layout that the model declares is not tried. Any other network with convolutions of images is
    tried on a copy, forward and backward in both modes: one that flattens with `view` stays as it
    was built. So does one with group norm, which takes 1.2 times as long with channels last, on a
    CPU and on an H100 (measured). Timing does not decide, because it would vary from run to run,
    and the weights of two equal runs would differ.
    """
    if any(isinstance(module, nn.GroupNorm) for module in network.modules()):
        return network
    if made.bears_channels_last or _bears_channels_last(network, shape):
        return laid_out(network)
    return network


def _bears_channels_last(network: nn.Module, shape: tuple[int, int, int]) -> bool:
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    if not any(isinstance(module, kinds) for module in network.modules()):
        return False
    device = home_of(network)
    x = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0)).to(device)
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.inference_mode(False), torch.enable_grad():
        try:
            before, turned = copy.deepcopy(network), laid_out(copy.deepcopy(network))
            to_eval(before)
            to_eval(turned)
            logits = [_forward_and_backward(one, x) for one in (before, turned)]
            turned.train()
            _forward_and_backward(turned, x)
        except Exception as error:  # whatever a layout raises that it was not written for
            if is_out_of_memory(error):
                raise
            return False
    bound = CLOSE * logits[0].abs().max()
    return bool(((logits[0] - logits[1]).abs() <= bound).all())


def _forward_and_backward(network: nn.Module, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    logits: Tensor = network(x)
    wanted = [x, *(parameter for parameter in network.parameters() if parameter.requires_grad)]
    torch.autograd.grad(logits.sum(), wanted, allow_unused=True)
    return logits.detach()
