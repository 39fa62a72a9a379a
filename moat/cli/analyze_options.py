"""The options that every kind of `moat analyze` has."""

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
    RunsArgument,
    WeightsOption,
)

ThreatsOption = Annotated[
    str | None,
    typer.Option(metavar="LABEL,...", help="Threats of the protocol. Default: all."),
]
OutOption = Annotated[
    Path | None,
    typer.Option(help="Folder for the files. Default: analysis/ in the run's or the study's."),
]
AsOption = Annotated[
    str | None, typer.Option("--as", metavar="NAME", help="Name of the files. Default: the kind.")
]
FormatsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="FORMAT,...", help="png, svg or pdf; repeatable. Default: png and svg."),
]


@dataclass(frozen=True)
class AnalyzeOptions:
    """The options of every kind: models, protocol, files."""

    run: RunsArgument = None
    protocol: Annotated[
        Path | None, typer.Option(help="Search under this protocol instead of the runs' own.")
    ] = None
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the protocol."),
    ] = None
    model: ModelOption = None
    checkpoint: WeightsOption = None
    arg: CallableArguments = None
    name: Annotated[
        str | None, typer.Option(metavar="LABEL", help="The model's name in the analysis.")
    ] = None
    out: OutOption = None
    called: AsOption = None
    format: FormatsOption = None
    device: DeviceOption = Device.auto
    allow_code: CodeOption = None
