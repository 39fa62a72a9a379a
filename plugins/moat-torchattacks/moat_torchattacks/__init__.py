"""The attacks of torchattacks, as threats of moat: `torchattacks:NAME`."""

from typing import Any

from moat_torchattacks.family import by_name, threats

__all__ = ["threats"]


def __getattr__(name: str) -> Any:
    """Return the threat of an attack by its name in torchattacks, as `moat_torchattacks.CW`."""
    if (found := by_name().get(name)) is None:
        raise AttributeError(f"torchattacks has no attack {name!r} that a recipe can state")
    return found
