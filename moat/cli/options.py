"""Options that several commands take, and what they may be."""

import math
from enum import StrEnum
from typing import Annotated

import typer

from moat.consent import Consent
from moat.errors import MoatError

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
CodeOption = Annotated[
    bool | None,
    typer.Option(
        "--allow-code/--no-code",
        help="Run the code that a results folder names, too; or run none, not even the recipe's.",
        show_default="the code of what is named here, none of results folders",
    ),
]
DeviceOption = Annotated[Device, typer.Option(help="Where to compute.")]


def consent_to(allow_code: bool | None) -> Consent:
    """Return what the option allows; the code that runs is said on standard output."""
    return Consent(named=allow_code is not False, stored=allow_code is True, say=_say)


def _say(line: str) -> None:
    print(line, flush=True)


def listed(text: str | None) -> list[str]:
    """Return the names of an option that takes several, separated by commas."""
    return [] if text is None else [name.strip() for name in text.split(",")]


def weighed(text: str | None, option: str) -> dict[str, float]:
    """Return the weights of an option that gives names one each, separated by commas."""
    weights: dict[str, float] = {}
    for part in listed(text):
        name, _, number = part.partition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = -1.0
        if not name or not 0 <= weight < math.inf or name in weights:
            raise MoatError(
                f"{part!r} is no weight of a score.",
                where=option,
                hint="Name each once, with a number of at least 0: natural=0.5,pgd=0.3,rt=0.2",
            )
        weights[name] = weight
    if weights and not sum(weights.values()):
        raise MoatError("all weights are 0.", where=option, hint="Give one of them more.")
    return weights
