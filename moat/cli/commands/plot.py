"""Figures for a paper."""

from pathlib import Path
from typing import Annotated

import typer

from moat.cli.lines import say
from moat.cli.options import as_options, listed


def plot(
    results: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")],
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND,...",
            help="front, pairs, parallel, radar, training, strengths, cost, "
            "relationship or difference; repeatable. Default: all.",
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="Take \\[\\[figure]] from this file instead of the runs' recipes."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files. Default: figures/ in RESULTS.")
    ] = None,
) -> None:
    """Draw a study as PNG and SVG: front, scores, training, strengths, the recipe's figures."""
    from moat.cli.output_files import OutputFiles
    from moat.cli.recipe_tables import figures_of
    from moat.own_files import FIGURES
    from moat.report import make_plots, write_plots
    from moat.runs import as_typed, opened, outputs_of

    if out is None and len(results) > 1:
        raise typer.BadParameter("figures of several folders need --out")
    found = list(map(opened, results))
    kinds = [name for text in kind or () for name in listed(text)]
    with as_options("kind"):
        plots = make_plots(found, kinds, figures_of(recipe) if recipe else None)
    for message in plots.skipped:
        say(f"skipped: {message}", err=True)
    written = OutputFiles()
    written.write(lambda: write_plots(plots, out or outputs_of(results[0]) / FIGURES))
    written.say()
    for message in plots.missing:
        say(as_typed(f"not drawn: {message}"), err=True)
    if not plots.figures:
        raise typer.Exit(2)
