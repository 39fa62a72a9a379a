"""TorchJD's rules for several losses, as scalarizers of moat: `torchjd:NAME`."""

from typing import Any

from moat_torchjd.family import by_name, scalarizers

__all__ = ["scalarizers"]


def __getattr__(name: str) -> Any:
    """Return the scalarizer of an aggregator by its name in TorchJD, as `moat_torchjd.UPGrad`."""
    if (found := by_name().get(name)) is None:
        raise AttributeError(f"the installed TorchJD has no rule {name!r} that takes a Gramian")
    return found
