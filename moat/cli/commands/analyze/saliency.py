"""`moat analyze saliency`."""

from dataclasses import dataclass

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
class SaliencyOptions(AnalyzeOptions):
    """The arguments and options of `moat analyze saliency`."""

    examples: ExamplesOption = None
    ids: IdsOption = None
    copies: CopiesOption = 100
    noise: NoiseOption = 0.1
    seed: SeedOption = 0


@of_table
def saliency(options: SaliencyOptions) -> None:
    """Draw SmoothGrad maps of the true class's logit, runs side by side."""
    from moat.analysis import SaliencySettings
    from moat.cli.analysis import analyze_asked
    from moat.study.analyses import instrument_of

    chosen = chosen_examples(options.ids, options.examples)
    settings = SaliencySettings(
        examples=SaliencySettings.examples if chosen is None else chosen,
        copies=options.copies,
        noise=options.noise,
        seed=options.seed,
    )
    analyze_asked(
        options, lambda request, out, listener: instrument_of(request, out, listener, settings)
    )
