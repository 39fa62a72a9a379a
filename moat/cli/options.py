"""Options of several commands, and their valid values."""

import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from moat.cli.lines import say
from moat.consent import Consent
from moat.errors import MoatError

LONGEST_SIDE = 1024
"""Pixels of an image that a check makes."""
INTERRUPTED = 130
"""The exit code after Ctrl-C."""


class Device(StrEnum):
    """Device."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class CatalogueKind(StrEnum):
    """The kinds of names that can be listed."""

    threats = "threats"
    scalarizers = "scalarizers"
    models = "models"
    datasets = "datasets"
    recipes = "recipes"


class PluginKind(StrEnum):
    """The kinds of plug-ins."""

    threat = "threat"
    scalarizer = "scalarizer"
    model = "model"
    dataset = "dataset"


Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key; the study gets its own folder."
    ),
]
RunsArgument = Annotated[
    list[Path] | None, typer.Argument(help="Finished runs, or folders of them.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Any model: python:module:callable, torchvision:<name>."),
]
WeightsOption = Annotated[
    Path | None, typer.Option(help="The model's weights: .pth, .pt or .safetensors.")
]
CallableArguments = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="An argument of the model's callable; repeatable."),
]
CodeOption = Annotated[
    bool | None,
    typer.Option(
        "--allow-code/--no-code",
        help="Also run the code named by a results folder; or none, not even the recipe's.",
        show_default="code named here, none of results folders",
    ),
]
DeviceOption = Annotated[Device, typer.Option(help="Device.")]


def consent_to(allow_code: bool | None, *, err: bool = False) -> Consent:
    """Return what the option allows; what code runs is said on standard output, or error."""
    said = partial(say, err=err)
    return Consent(named=allow_code is not False, stored=allow_code is True, say=said)


def listed(text: str | None) -> list[str]:
    """Return the names of an option that takes several, separated by commas."""
    return [] if text is None else [name.strip() for name in text.split(",")]


def plain_number(text: str) -> float:
    """Return a number as a person writes it: digits, a point, an exponent; ValueError else.

    Python reads more: 1_0, nan, inf, other alphabets' digits, and numbers too small to divide by.
    """
    number = float(text) if _PLAIN.fullmatch(text) else math.nan
    if not math.isfinite(number) or 0 < abs(number) < sys.float_info.min:
        raise ValueError(f"{text!r} is not a plain number")
    return number


def number(text: str) -> float:
    """Return a number; BadParameter for what is not one."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None


def whole_number(text: str) -> int:
    """Return a whole number of at least 0, written in digits; BadParameter else."""
    if not _WHOLE.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is not a whole number of at least 0")
    return int(text)


def shape_of(text: str | None) -> tuple[int, int, int] | None:
    """Return channel, height and width of images, separated by commas; BadParameter else."""
    if text is None:
        return None
    sides = [int(side) if _WHOLE.fullmatch(side) else 0 for side in listed(text)]
    if len(sides) != 3 or not all(0 < side <= LONGEST_SIDE for side in sides):
        raise typer.BadParameter(
            f"{text!r} is not channels, rows and columns, three numbers from 1 to {LONGEST_SIDE} "
            "as in 3,32,32",
            param_hint="'--shape'",
        )
    channel, height, width = sides
    return channel, height, width


def seeds_of(texts: list[str] | None) -> list[int]:
    """Return the seeds of an option that may be repeated, or name several with commas."""
    try:
        return [whole_number(part) for text in texts or () for part in listed(text)]
    except typer.BadParameter as error:
        raise typer.BadParameter(error.message, param_hint="'--seed'") from error


def seconds(text: str) -> float:
    """Return an interval of 0.1 s to a day; BadParameter else."""
    with suppress(ValueError):
        if 0.1 <= (found := plain_number(str(text))) <= 86_400:  # a default comes as a number
            return found
    raise typer.BadParameter(f"{text!r} is not a number in the range 0.1 to 86400")


def point_of_the_line(text: str) -> float:
    """Return the number of a point of the line from natural to robust; BadParameter else."""
    with suppress(ValueError):
        return plain_number(text)
    raise typer.BadParameter(
        f"{text!r} is not a number from 0 (natural) to 1 (robust). For other weights, write "
        "--preference natural=0.3,pgd=0.7"
    )


@contextmanager
def as_options(*arguments: str) -> Iterator[None]:
    """Say of the library's arguments in an error what the options of the same names are called."""
    try:
        yield
    except MoatError as error:
        if error.where not in arguments:
            raise
        raise error.at(f"--{error.where}") from error


def weights_of(text: str | None, option: str, of: str = "a score") -> dict[str, float]:
    """Return the weights of an option that gives names one each, separated by commas."""
    weights: dict[str, float] = {}
    for part in listed(text):
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            weight = plain_number(number)
        except ValueError:
            weight = -1.0
        if not name or weight < 0 or name in weights:
            raise MoatError(
                f"{name!r} is named twice."
                if name in weights
                else f"{part!r} is not a weight of {of}.",
                where=option,
                hint="Name each once, with a number of at least 0: natural=0.5,pgd=0.3,rt=0.2",
            )
        weights[name] = weight
    total = sum(weights.values())
    if weights and not total:
        raise MoatError("all weights are 0.", where=option, hint="Give one of them more.")
    if math.isinf(total):
        raise MoatError("the sum of the weights overflows.", where=option, hint="Divide them all.")
    return weights


_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
