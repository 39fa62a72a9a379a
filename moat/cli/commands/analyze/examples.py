"""`moat analyze examples`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from moat.cli.analyze_options import AnalyzeOptions, ThreatsOption
from moat.cli.option_table import of_table
from moat.cli.options import listed, whole_number


@dataclass(frozen=True)
class ExamplesOptions(AnalyzeOptions):
    """What a call of `moat analyze examples` names."""

    examples: Annotated[
        str | None,
        typer.Option(metavar="ID,...", help="Test examples by id. Default: of different classes."),
    ] = None
    count: Annotated[int, typer.Option(min=1, help="How many, where none is named.")] = 3
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw them at random, with this seed.")
    ] = None
    threats: ThreatsOption = None
    animate: Annotated[
        bool,
        typer.Option(
            "--animate", help="Also write each search, iterate by iterate: APNG, or --format gif."
        ),
    ] = False


@of_table
def examples(options: ExamplesOptions) -> None:
    """Show test images beside what each threat makes of them, and how it moved the pixels."""
    from moat.analysis import ExampleChoice
    from moat.cli.analysis import analyze_asked
    from moat.study.analyses import examples_of

    ids = tuple(whole_number(one) for one in listed(options.examples))
    choice = ExampleChoice(ids, options.count, options.seed)
    analyze_asked(
        options,
        lambda request, out, listener: examples_of(
            request,
            out,
            listener,
            choice,
            threats=listed(options.threats),
            iterates=options.animate,
        ),
        film=options.animate,
    )
