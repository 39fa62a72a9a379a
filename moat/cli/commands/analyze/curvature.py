"""`moat analyze curvature`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from moat.cli.analyze_options import AnalyzeOptions, ThreatsOption
from moat.cli.instrument_options import ExamplesOption, IdsOption, SeedOption, chosen_examples
from moat.cli.option_table import of_table
from moat.cli.options import listed


@dataclass(frozen=True)
class CurvatureOptions(AnalyzeOptions):
    """The arguments and options of `moat analyze curvature`."""

    threats: ThreatsOption = None
    examples: ExamplesOption = None
    ids: IdsOption = None
    products: Annotated[int, typer.Option(help="Products with the Hessian for an example.")] = 32
    seed: SeedOption = 0


@of_table
def curvature(options: CurvatureOptions) -> None:
    """Measure eigenvalues of the loss's Hessian in w, at start and end of the searches."""
    from moat.analysis import CurvatureSettings
    from moat.cli.analysis import analyze_asked
    from moat.study.analyses import instrument_of

    chosen = chosen_examples(options.ids, options.examples)
    settings = CurvatureSettings(
        threats=tuple(listed(options.threats)),
        examples=CurvatureSettings.examples if chosen is None else chosen,
        products=options.products,
        seed=options.seed,
    )
    analyze_asked(
        options, lambda request, out, listener: instrument_of(request, out, listener, settings)
    )
