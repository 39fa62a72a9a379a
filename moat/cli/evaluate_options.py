"""The options of `moat evaluate`, one field for each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from moat.cli.options import (
    CallableArguments,
    CodeOption,
    Device,
    DeviceOption,
    ModelOption,
    Overrides,
    RunsArgument,
    WeightsOption,
    point_of_the_line,
)


@dataclass(frozen=True)
class EvaluateOptions:
    """The arguments and options of `moat evaluate`."""

    run: RunsArgument = None
    protocol: Annotated[
        Path | None, typer.Option(help="Evaluate under this protocol, in folders beside the runs'.")
    ] = None
    at: Annotated[
        float | None,
        typer.Option(
            metavar="POINT",
            parser=point_of_the_line,
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
    model: ModelOption = None
    checkpoint: WeightsOption = None
    arg: CallableArguments = None
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
            "--overwrite",
            help="Repeat finished evaluations; replace those of another model or a stale point.",
        ),
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="List the evaluations and their cost; search nothing."),
    ] = False
    allow_code: CodeOption = None
