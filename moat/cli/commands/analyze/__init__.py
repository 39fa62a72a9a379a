"""`moat analyze`: a subcommand for each kind of analysis."""

import typer

from moat.cli.commands.analyze.transfer import transfer

analyze = typer.Typer(
    help="Look into trained models: numbers with intervals, a picture, a record.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (transfer,):
    analyze.command(command.__name__)(command)
