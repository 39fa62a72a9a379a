"""`moat analyze skewness`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from moat.cli.analyze_options import AnalyzeOptions
from moat.cli.instrument_options import (
    CopiesOption,
    ExamplesOption,
    IdsOption,
    NoiseOption,
    SeedOption,
    chosen_examples,
)
from moat.cli.option_table import of_table


@dataclass(frozen=True)
class SkewnessOptions(AnalyzeOptions):
    """The arguments and options of `moat analyze skewness`."""

    reference: Annotated[
        str, typer.Option(metavar="NAME", help="The model to compare with. Default: the first.")
    ] = ""
    examples: ExamplesOption = None
    ids: IdsOption = None
    copies: CopiesOption = 100
    noise: NoiseOption = 0.1
    seed: SeedOption = 0


@of_table
def skewness(options: SkewnessOptions) -> None:
    """Measure how skewed the differences of saliency maps to a reference run are."""
    from moat.analysis import SkewnessSettings
    from moat.cli.analysis import analyze_asked
    from moat.study.analyses import instrument_of

    settings = SkewnessSettings(
        reference=options.reference,
        examples=chosen_examples(options.ids, options.examples),
        copies=options.copies,
        noise=options.noise,
        seed=options.seed,
    )
    analyze_asked(
        options, lambda request, out, listener: instrument_of(request, out, listener, settings)
    )
