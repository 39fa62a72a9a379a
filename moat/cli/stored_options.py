"""The options of those kinds of `moat analyze` that read stored outcomes alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from moat.cli.analyze_options import AsOption, FormatsOption, OutOption

AcrossOption = Annotated[
    str | None,
    typer.Option(metavar="KEY", help="The swept key. Default: that of the recipe's [[figure]]."),
]


@dataclass(frozen=True)
class StoredOptions:
    """The options of a figure from stored runs: runs, the figure's keys, files."""

    results: Annotated[list[Path], typer.Argument(help="A study's folder, or runs of one study.")]
    across: AcrossOption = None
    threats: Annotated[
        str | None,
        typer.Option(metavar="LABEL,...", help="Threats and ensembles. Default: the figure's."),
    ] = None
    measure: Annotated[
        str | None,
        typer.Option(
            metavar="MEASURE",
            help="conditional: among the examples classified correctly; accuracy: among all.",
        ),
    ] = None
    recipe: Annotated[
        Path | None,
        typer.Option(help="Take \\[\\[figure]] from this file instead of the runs' recipe."),
    ] = None
    out: OutOption = None
    called: AsOption = None
    format: FormatsOption = None
