"""Options that several commands take, and what they may be."""

from enum import StrEnum
from typing import Annotated

import typer

INTERRUPTED = 130
"""The exit code after Ctrl-C."""


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Listing(StrEnum):
    """What can be listed."""

    threats = "threats"
    scalarizers = "scalarizers"
    models = "models"
    datasets = "datasets"


Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key; the study gets its own folder."
    ),
]
DeviceOption = Annotated[Device, typer.Option(help="Where to compute.")]


def listed(text: str | None) -> list[str]:
    """Return the names of an option that takes several, separated by commas."""
    return [] if text is None else [name.strip() for name in text.split(",")]
