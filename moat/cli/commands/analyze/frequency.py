"""`moat analyze frequency`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from moat.cli.analyze_options import AnalyzeOptions, ThreatsOption
from moat.cli.instrument_options import ExamplesOption
from moat.cli.option_table import of_table
from moat.cli.options import listed


@dataclass(frozen=True)
class FrequencyOptions(AnalyzeOptions):
    """The arguments and options of `moat analyze frequency`."""

    threats: ThreatsOption = None
    examples: ExamplesOption = None
    saliency: Annotated[
        bool,
        typer.Option("--saliency", help="Also the spectrum of the SmoothGrad maps, n = 100."),
    ] = False


@of_table
def frequency(options: FrequencyOptions) -> None:
    """Show the power spectrum of what each threat changes in an image."""
    from moat.cli.analysis import analyze_asked
    from moat.study.analyses import frequency_of

    analyze_asked(
        options,
        lambda request, out, listener: frequency_of(
            request,
            out,
            listener,
            threats=listed(options.threats),
            examples=options.examples,
            saliency=options.saliency,
        ),
    )
