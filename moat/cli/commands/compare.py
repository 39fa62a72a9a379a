"""Finished runs side by side, from what is stored."""

from pathlib import Path
from typing import Annotated

import typer

from moat.plain import json_of


def compare(
    run: Annotated[
        list[Path],
        typer.Argument(help="Two finished runs or more; the first is what others are compared to."),
    ],
    ids: Annotated[
        bool, typer.Option("--ids", help="Show the id of every example one run alone withstands.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print plain JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Also write tables, and what came of each example, there.")
    ] = None,
) -> None:
    """Show runs side by side: recipes, scores with paired intervals, who withstands what."""
    from moat.cli.console import console
    from moat.report import compare_runs, comparison_shown, comparison_table, write_comparison

    comparison = compare_runs(run)
    if as_json:
        typer.echo(json_of(comparison_table(comparison), indent=2))
    else:
        console.print(comparison_shown(comparison, console.width, ids))
    for path in write_comparison(comparison, out) if out else []:
        typer.echo(f"wrote {path}", err=as_json)
    if comparison.refusal:
        raise comparison.refusal
