"""`moat analyze transfer`."""

from dataclasses import dataclass

from moat.cli.analyze_options import AnalyzeOptions, ThreatsOption
from moat.cli.instrument_options import ExamplesOption
from moat.cli.option_table import of_table
from moat.cli.options import listed


@dataclass(frozen=True)
class TransferOptions(AnalyzeOptions):
    """The arguments and options of `moat analyze transfer`."""

    threats: ThreatsOption = None
    examples: ExamplesOption = None


@of_table
def transfer(options: TransferOptions) -> None:
    """Show the images that the searches find on each run to each other run."""
    from moat.cli.analysis import analyze_asked
    from moat.study.analyses import transfer_of

    analyze_asked(
        options,
        lambda request, out, listener: transfer_of(
            request, out, listener, threats=listed(options.threats), examples=options.examples
        ),
    )
