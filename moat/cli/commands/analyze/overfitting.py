"""`moat analyze overfitting`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from moat.cli.option_table import of_table
from moat.cli.stored_options import StoredOptions


@dataclass(frozen=True)
class OverfittingOptions(StoredOptions):
    """The arguments and options of `moat analyze overfitting`."""

    of: Annotated[
        str | None, typer.Option(metavar="NAME", help="The variant of the minuend, such as max-at.")
    ] = None
    minus: Annotated[
        str | None, typer.Option(metavar="NAME", help="That of the subtrahend, such as pgd-at.")
    ] = None


@of_table
def overfitting(options: OverfittingOptions) -> None:
    """Show how far one variant is above another as a training threat grows."""
    from moat.cli.analysis_of_outcomes import analyze_outcomes
    from moat.records import Difference
    from moat.study.analyses import overfitting_of

    keys = {"of": options.of, "minus": options.minus}
    analyze_outcomes(options, Difference, keys, overfitting_of)
