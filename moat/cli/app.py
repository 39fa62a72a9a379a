"""The commands, in the order of `moat --help`.

Exit codes: 0 done, 1 a run failed (the others went on), 2 bad input.
"""

from typing import Annotated

import typer

from moat.cli.commands.analyze import analyze
from moat.cli.commands.bundle import bundle
from moat.cli.commands.check import check
from moat.cli.commands.compare import compare
from moat.cli.commands.demo import demo
from moat.cli.commands.doctor import doctor
from moat.cli.commands.evaluate import evaluate
from moat.cli.commands.front import front
from moat.cli.commands.listing import list_, schema
from moat.cli.commands.new import new
from moat.cli.commands.plot import plot
from moat.cli.commands.race import race
from moat.cli.commands.report import report
from moat.cli.commands.score import score
from moat.cli.commands.show import show
from moat.cli.commands.train import train
from moat.cli.commands.watch import watch
from moat.version import __version__

app = typer.Typer(
    help="Train classifiers that withstand several kinds of attack; see the cost of each choice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"moat {__version__}")
        raise typer.Exit


@app.callback()
def _moat(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


for command in (
    *(demo, train, race, show, watch, evaluate, score, compare),
    *(front, plot, report, bundle, list_, check, new, schema, doctor),
):
    app.command(command.__name__.strip("_"))(command)
app.add_typer(analyze, name="analyze")
