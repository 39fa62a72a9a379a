"""`moat analyze examples`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from moat.cli.analyze_options import AnalyzeOptions, ThreatsOption
from moat.cli.instrument_options import ExamplesOption, IdsOption, chosen_examples
from moat.cli.option_table import of_table
from moat.cli.options import listed
from moat.errors import AnalysisError


@dataclass(frozen=True)
class ExamplesOptions(AnalyzeOptions):
    """The arguments and options of `moat analyze examples`."""

    examples: ExamplesOption = None
    ids: IdsOption = None
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
    from moat.study import analyses

    if options.ids is not None and options.seed is not None:
        raise AnalysisError(
            "--ids names the test examples, so none is drawn.",
            where="--seed",
            hint="Leave one of the two out.",
        )
    chosen = chosen_examples(options.ids, options.examples) or ExampleChoice.count
    choice = (
        ExampleChoice(count=chosen, seed=options.seed)
        if isinstance(chosen, int)
        else ExampleChoice(chosen)
    )
    analyze_asked(
        options,
        lambda request, out, listener: analyses.adversarial_examples_of(
            request,
            out,
            listener,
            choice,
            threats=listed(options.threats),
            iterates=options.animate,
        ),
        film=options.animate,
    )
