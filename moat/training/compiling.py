"""A network compiled by torch, or uncompiled if compilation fails."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from moat.randomness import draws_undone
from moat.types import Images, Logits


class CompiledNetwork(nn.Module):
    """A network behind `torch.compile`; after the first failure it runs uncompiled.

    torch compiles at the first call of a kind (a shape, a mode, a set of gradients), and in part in
    the backward. So each kind is first tried: forward and backward, on a copy of the images; then
    the network's buffers and the global generators are restored. A failure happens in the trial,
    not within a step that has already moved something. `refusal` gives the reason.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.refusal = ""
        self._known: set[Hashable] = set()
        self._compiled: list[Any] = []  # in a list, or its parameters would count twice
        try:
            self._compiled.append(torch.compile(model))
        except Exception as error:  # a Python or a system that torch does not compile for
            self._refuse(error)

    def forward(self, images: Images) -> Logits:
        """Return the logits of the images."""
        if self._compiled and (kind := self._kind(images)) not in self._known:
            self._try(images)
            self._known.add(kind)
        network = self._compiled[0] if self._compiled else self.model
        return cast(Tensor, network(images))

    def _kind(self, images: Images) -> Hashable:
        """Return what torch compiles anew for."""
        trained = any(parameter.requires_grad for parameter in self.model.parameters())
        wanted = (torch.is_grad_enabled(), images.requires_grad, trained)
        return images.shape, images.stride(), images.dtype, self.model.training, wanted

    def _try(self, images: Images) -> None:
        """Run forward and backward once; stop compiling where either fails."""
        leaf = images.detach().clone().requires_grad_(images.requires_grad)
        sources = [part for part in (leaf, *self.model.parameters()) if part.requires_grad]
        try:
            with _undone(self.model, images.device):
                logits = self._compiled[0](leaf)
                if logits.requires_grad:
                    torch.autograd.grad(logits.sum(), sources, allow_unused=True)
        except torch.OutOfMemoryError:  # the network alone would not fit, either
            raise
        except Exception as error:  # whatever a compiler or the network itself raises
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        self.refusal = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        self._compiled.clear()


@contextmanager
def _undone(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Put buffers and the global generators back to where they were."""
    kept = [
        (module, name, buffer, buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    try:
        with draws_undone(device):
            yield
    finally:
        with torch.no_grad():
            for module, name, buffer, value in kept:
                buffer.copy_(value)  # batch norm moves its counts without a new version
                module._buffers[name] = buffer
