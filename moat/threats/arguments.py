"""The arguments of a search beside its network and its batch, checked at the door."""

from collections.abc import Mapping
from typing import Any

import torch

from moat.errors import DefinitionError, InputError


def require_generator(generator: Any) -> None:
    """Raise DefinitionError for anything but a generator of random numbers."""
    if not isinstance(generator, torch.Generator | None):
        raise DefinitionError(
            f"the generator is {in_words(generator)}, not a torch.Generator.",
            hint="Make one from a seed: torch.Generator().manual_seed(0).",
        )


def require_pass_size(size: Any) -> None:
    """Raise DefinitionError for anything but a count of examples; None is the default."""
    whole = isinstance(size, int) and not isinstance(size, bool)
    if size is not None and not (whole and size > 0):
        raise DefinitionError(
            f"a pass holds at least one example, not {size!r}.",
            hint="pass_size is a whole number, such as 128, or None for the default of the device.",
        )


def require_searched(threats: Any) -> None:
    """Raise DefinitionError for anything but a list of threats that the one loop searches."""
    if isinstance(threats, Mapping) or not hasattr(threats, "__iter__"):
        raise DefinitionError(
            f"threats are a list, not {in_words(threats)}.",
            hint="Pass them in a list: [PGD(...), Flow(...)].",
        )
    for threat in threats:
        if isinstance(threat, type) or not hasattr(threat, "climb"):
            raise DefinitionError(
                f"a threat is {in_words(threat)}, which the loop cannot search.",
                hint="Pass threats with a `climb`, such as PGD(...); for others, call `perturb`.",
            )


def require_channels(threat: Any, channels: int, label: str = "") -> None:
    """Raise InputError for images with another number of channels than a threat needs."""
    needed = getattr(threat, "needs_channels", None)
    if needed is not None and needed != channels:
        kind = label or getattr(type(threat), "name", type(threat).__name__)
        raise InputError(
            f"the threat {kind!r} needs images of {needed} channels, not {channels}.",
            hint="Leave it out for these images, or use data with as many channels.",
        )


def in_words(value: Any) -> str:
    """Return a description of a value, in words."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"{value!r}" if isinstance(value, str | int) else f"of type {type(value).__name__}"
