"""The options of `moat evaluate`, one field for each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from moat.cli.options import CodeOption, Device, DeviceOption, Overrides


@dataclass(frozen=True)
class EvaluateOptions:
    """The arguments and options of `moat evaluate`."""

    run: Annotated[list[Path] | None, typer.Argument(help="Finished runs, or folders of them.")] = (
        None
    )
    protocol: Annotated[
        Path | None, typer.Option(help="Evaluate under this protocol, in folders beside the runs'.")
    ] = None
    at: Annotated[
        float | None,
        typer.Option(
            metavar="POINT",
            help="Evaluate a conditioned network at this point, from natural (0) to robust (1).",
        ),
    ] = None
    preference: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=WEIGHT,...",
            help="Evaluate a conditioned network at this preference; the weights sum to 1.",
        ),
    ] = None
    set_: Overrides = None
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Any model: python:module:callable, torchvision:<name>."),
    ] = None
    checkpoint: Annotated[
        Path | None, typer.Option(help="The model's weights: .pth, .pt or .safetensors.")
    ] = None
    arg: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="An argument of the model's callable; repeatable."),
    ] = None
    name: Annotated[
        str | None, typer.Option(metavar="LABEL", help="The model's name in reports.")
    ] = None
    results: Annotated[
        Path | None,
        typer.Option(help="Folder for the evaluations. Default: the runs' own, else ./results."),
    ] = None
    validation: Annotated[
        bool,
        typer.Option(
            "--validation", help="With --protocol: evaluate the held-out examples as well."
        ),
    ] = False
    device: DeviceOption = Device.auto
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Repeat finished evaluations; replace those of another model."
        ),
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="List the evaluations and their cost; search nothing."),
    ] = False
    allow_code: CodeOption = None
