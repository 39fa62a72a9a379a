"""`moat analyze relationship`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from moat.cli.option_table import of_table
from moat.cli.stored_options import StoredOptions


@dataclass(frozen=True)
class RelationshipOptions(StoredOptions):
    """The arguments and options of `moat analyze relationship`."""

    variant: Annotated[
        str | None, typer.Option(metavar="NAME", help="The variant that sweeps the key.")
    ] = None
    zero: Annotated[
        str | None, typer.Option(metavar="NAME", help="The variant that stands at 0.")
    ] = None


@of_table
def relationship(options: RelationshipOptions) -> None:
    """Show robustness to some threats against the strength of a training."""
    from moat.cli.analysis_of_outcomes import analyze_outcomes
    from moat.records import Relationship
    from moat.study.analyses import relationship_of

    keys = {"variant": options.variant, "zero": options.zero}
    analyze_outcomes(options, Relationship, keys, relationship_of)
