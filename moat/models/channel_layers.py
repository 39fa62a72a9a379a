"""The layers of a network whose output channels have weights of their own."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.lazy import LazyModuleMixin

from moat.errors import ModelError


@dataclass(frozen=True)
class ChannelLayer:
    """A layer by its path in a network, with its count of channels.

    `axis` is the dimension of its weight along which the channels lie.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2))
        >>> channel_layers(network)
        (ChannelLayer(path='1', channels=4, axis=0),)
    """

    path: str
    channels: int
    axis: int = 0

    def weight(self, network: nn.Module) -> Tensor:
        """Return the layer's weight, as the network holds it now."""
        return self._held(network)["weight"]

    def modulated(self, network: nn.Module, scale: Tensor, shift: Tensor) -> dict[str, Tensor]:
        """Return its weight and bias by their names in the network, for modulated outputs.

        `scale` and `shift` are (channels,). A layer without a bias is scaled only.
        """
        held = self._held(network)
        weight, prefix = held["weight"], f"{self.path}." if self.path else ""
        ahead = [1] * self.axis + [-1] + [1] * (weight.ndim - self.axis - 1)
        found = {f"{prefix}weight": weight * scale.view(ahead)}
        if (bias := held.get("bias")) is not None:
            rest = [-1] + [1] * (bias.ndim - 1)
            found[f"{prefix}bias"] = bias * scale.view(rest) + shift.view(rest)
        return found

    def _held(self, network: nn.Module) -> dict[str, Tensor]:
        layer = network.get_submodule(self.path)
        held = {name: getattr(layer, name, None) for name in ("weight", "bias")}
        return {name: value for name, value in held.items() if isinstance(value, Tensor)}


def channel_layers(network: nn.Module) -> tuple[ChannelLayer, ...]:
    """Return the norm layers; without any, the convolutions; without these, the linear layers.

    The last linear layer, which gives the logits, counts only if it is alone. A layer counts if its
    weight and bias are parameters of its own: neither shared with another layer nor computed, as by
    a parametrization. Raises ModelError if there is none, if a norm without weights would cancel
    their modulation, for a network compiled by torch.jit, and for lazy layers without weights yet.
    """
    if any(isinstance(part, torch.jit.ScriptModule) for part in network.modules()):
        raise ModelError(
            "a network compiled by torch.jit cannot be conditioned: its weights are fixed in its "
            "code.",
            hint="Pass the network before torch.jit.script or torch.jit.trace.",
        )
    lazy = [part for part in network.modules() if isinstance(part, LazyModuleMixin)]
    if any(part.has_uninitialized_params() for part in lazy):
        raise ModelError(
            "the network has lazy layers without weights, and cannot be conditioned yet.",
            hint="Pass one batch through it first.",
        )
    held = Counter(id(value) for layer in network.modules() for value in layer._parameters.values())
    own = [
        (path, layer)
        for path, layer in network.named_modules()
        if layer._parameters.get("weight") is not None
        and all(value is None or held[id(value)] == 1 for value in layer._parameters.values())
    ]
    for is_one in (_is_norm, _is_convolution, _is_linear):
        if found := [(path, layer) for path, layer in own if is_one(layer)]:
            if is_one is _is_linear and len(found) > 1:
                found = found[:-1]
            if is_one is not _is_norm:
                _require_no_norm_behind(network, found[0][0])
            return tuple(_affine(path, layer) for path, layer in found)
    raise ModelError(
        "the network has no layer to condition: no norm, convolution or linear layer with a weight "
        "of its own.",
        hint="Build it of torch's layers, such as nn.Conv2d or nn.GroupNorm.",
    )


def _require_no_norm_behind(network: nn.Module, first: str) -> None:
    """Raise ModelError for a norm behind the first modulated layer: no norm has weights here."""
    modules = list(network.named_modules())
    start = [path for path, _ in modules].index(first)
    for path, layer in modules[start + 1 :]:
        if isinstance(layer, _NORMS):
            kind = type(layer).__name__
            raise ModelError(
                f"the network cannot be conditioned: its norm layers have no weights of their own, "
                f"as {path!r} ({kind}). They cancel the modulation of the layers before them.",
                hint=_WEIGHTS_OF.get(kind, "Build the norm layers with affine=True."),
            )


_NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
_WEIGHTS_OF = dict.fromkeys(
    ("LayerNorm", "RMSNorm"), "Build the norm layers with elementwise_affine=True."
)


def _affine(path: str, layer: Any) -> ChannelLayer:
    axis = 1 if isinstance(layer, _ConvTransposeNd) else 0
    return ChannelLayer(path, layer.weight.shape[axis], axis)


def _is_norm(layer: nn.Module) -> bool:
    """Say whether a layer is a norm of torch, or of its kind by name and shape."""
    known = isinstance(layer, _NORMS)
    weight = layer._parameters["weight"]
    alike = "norm" in type(layer).__name__.lower() and weight is not None and weight.ndim == 1
    return known or alike


def _is_convolution(layer: nn.Module) -> bool:
    if isinstance(layer, _ConvTransposeNd):
        return layer.groups == 1  # with groups, no axis of its weight has all channels
    return isinstance(layer, _ConvNd)


def _is_linear(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Linear)
