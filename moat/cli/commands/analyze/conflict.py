"""`moat analyze conflict`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from moat.cli.analyze_options import AnalyzeOptions, ThreatsOption
from moat.cli.option_table import of_table
from moat.cli.options import listed


@dataclass(frozen=True)
class ConflictOptions(AnalyzeOptions):
    """The arguments and options of `moat analyze conflict`."""

    threats: ThreatsOption = None
    batch_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="Test images of a mini-batch.")
    ] = 32


@of_table
def conflict(options: ConflictOptions) -> None:
    """Show the cosines between the objectives' gradients, layer by layer and over training."""
    from moat.cli.analysis import analyze_asked
    from moat.study.analyses import conflict_of

    analyze_asked(
        options,
        lambda request, out, listener: conflict_of(
            request,
            out,
            listener,
            threats=listed(options.threats),
            batch_size=options.batch_size,
        ),
    )
