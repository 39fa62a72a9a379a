"""A check that training keeps finite weights finite."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Finite:
    """The floats of a network that must be finite: trained parameters, and finite initial state.

    A mask of −inf, a count, and state that is not a tensor are excluded.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        trained = {name for name, p in network.named_parameters() if p.requires_grad}
        self.names = trained | {name for name, finite in _each(network) if finite}

    def broken(self) -> str | None:
        """Return the first that is no longer finite, or None."""
        return next(
            (name for name, finite in _each(self.network) if not finite and name in self.names),
            None,
        )


def _each(network: nn.Module) -> Iterator[tuple[str, bool]]:
    """Yield every float tensor's name, and whether it is finite; the device is asked once."""
    floats = {
        name: value.detach()
        for name, value in (*network.named_parameters(), *network.named_buffers())
        if value.is_floating_point() or value.is_complex()
    }
    if floats:
        verdicts = torch.stack([is_finite(value).cpu() for value in floats.values()]).tolist()
        yield from zip(floats, verdicts, strict=True)


def is_finite(value: Tensor) -> Tensor:
    """Return as a tensor whether all numbers of a tensor, of any layout, are finite."""
    if value.layout == torch.sparse_coo:
        value = value.coalesce().values()
    elif value.layout != torch.strided:
        value = value.values()
    if value.is_floating_point() and value.element_size() == 1:  # float8, which lacks isfinite
        value = value.float()
    return torch.isfinite(value).all()
