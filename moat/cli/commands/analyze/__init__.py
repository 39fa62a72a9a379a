"""`moat analyze`: a subcommand for each kind of analysis."""

import typer

from moat.cli.commands.analyze.conflict import conflict
from moat.cli.commands.analyze.curvature import curvature
from moat.cli.commands.analyze.examples import examples
from moat.cli.commands.analyze.frequency import frequency
from moat.cli.commands.analyze.landscape import landscape
from moat.cli.commands.analyze.overfitting import overfitting
from moat.cli.commands.analyze.relationship import relationship
from moat.cli.commands.analyze.saliency import saliency
from moat.cli.commands.analyze.skewness import skewness
from moat.cli.commands.analyze.transfer import transfer

analyze = typer.Typer(
    help="Look into trained models: numbers with intervals, a picture, a record.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    conflict,
    curvature,
    examples,
    frequency,
    landscape,
    overfitting,
    relationship,
    saliency,
    skewness,
    transfer,
):
    analyze.command(command.__name__)(command)
