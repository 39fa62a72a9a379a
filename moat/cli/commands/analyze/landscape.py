"""`moat analyze landscape`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from moat.cli.analyze_options import AnalyzeOptions, ThreatsOption
from moat.cli.instrument_options import ExamplesOption, IdsOption, SeedOption, chosen_examples
from moat.cli.option_table import of_table
from moat.cli.options import listed, number


@dataclass(frozen=True)
class LandscapeOptions(AnalyzeOptions):
    """The arguments and options of `moat analyze landscape`."""

    threats: ThreatsOption = None
    examples: ExamplesOption = None
    ids: IdsOption = None
    views: Annotated[
        str, typer.Option(metavar="VIEW,...", help="Some of far, near (start) and end.")
    ] = "far,near,end"
    points: Annotated[int, typer.Option(help="Points on each of the two axes; odd.")] = 51
    extent: Annotated[
        float,
        typer.Option(
            parser=number, metavar="NUMBER", help="Half the length of an axis, in directions."
        ),
    ] = 1.0
    seed: SeedOption = 0


@of_table
def landscape(options: LandscapeOptions) -> None:
    """Draw the loss over two random directions of a threat's parameters w."""
    from moat.analysis import LandscapeSettings
    from moat.cli.analysis import analyze_asked
    from moat.study.analyses import instrument_of

    chosen = chosen_examples(options.ids, options.examples)
    settings = LandscapeSettings(
        threats=tuple(listed(options.threats)),
        examples=LandscapeSettings.examples if chosen is None else chosen,
        views=tuple(listed(options.views)),
        points=options.points,
        extent=options.extent,
        seed=options.seed,
    )
    analyze_asked(
        options, lambda request, out, listener: instrument_of(request, out, listener, settings)
    )
