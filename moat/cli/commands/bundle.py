"""Pack results into one zip."""

from pathlib import Path
from typing import Annotated

import typer

from moat.cli.lines import say


def bundle(
    results: Annotated[Path, typer.Argument(help="A folder of runs, or one run.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.zip", help="The zip file to write.")],
    weights: Annotated[
        bool,
        typer.Option(
            "--weights", help="Include the trained weights, for moat evaluate and moat.load."
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing file.")
    ] = False,
) -> None:
    """Pack results for a colleague into one zip, which moat reads like a folder.

    Recipes, records, outcomes, images, the code of local plug-ins, reports and figures. Checkpoints
    never go, nor do files that are not moat's.
    """
    from moat.bundles import bundle as write_bundle

    made = write_bundle(results, out, weights=weights, overwrite=overwrite)
    for message in made.left_out:
        say(f"left out: {message}", err=True)
    runs = "1 run" if made.runs == 1 else f"{made.runs} runs"
    held = "with" if made.weights else "without"
    say(f"wrote {made.path}: {runs}, {made.size / 1e6:.1f} MB, {held} weights")
