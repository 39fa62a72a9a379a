"""The identity of a network beside its weights: its modules and their plain settings."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from moat.digests import digest_of_parts

PLAIN = (bool, int, float, str, bytes, type(None))


def digest_of_network(network: nn.Module) -> str:
    """Return 16 hex digits that identify a network's modules by class and plain attributes.

    So two networks of the same weights that normalise with other numbers, kept as attributes, are
    two networks. What a method does is not seen.

    Example:
        >>> one, other = nn.LeakyReLU(0.1), nn.LeakyReLU(0.2)
        >>> digest_of_network(one) == digest_of_network(other)
        False
    """
    return digest_of_parts(_settings(network))


def _settings(network: nn.Module) -> Iterator[bytes]:
    for name, module in network.named_modules():
        kind = type(module)
        settings = {key: value for key, value in vars(module).items() if _is_setting(key, value)}
        said = f"{name} {kind.__module__}.{kind.__qualname__} {sorted(settings.items())}"
        yield f"{said}\n".encode()


def _is_setting(key: str, value: Any) -> bool:
    """Say whether an attribute is a setting: plain, and none of torch's own book-keeping."""
    if key == "training" or key.startswith("_"):
        return False
    if isinstance(value, tuple | list):
        return all(isinstance(one, PLAIN) for one in value)
    return isinstance(value, PLAIN)
