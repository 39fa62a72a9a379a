"""Check the promises of a threat, a scalarizer, a model or a data set."""

from typing import Annotated

import typer

from moat.cli.formats import Format, FormatOption, sheet_text
from moat.cli.lines import say
from moat.cli.options import PluginKind, shape_of


def check(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A registered name, FILE.py, FILE.py:Class, module:Class, or a model as recipes "
            "name it.",
            show_default="list what can be checked",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a field.")
    ] = None,
    kind: Annotated[
        PluginKind | None, typer.Option(help="Which is meant, where a name is of several kinds.")
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="C,H,W",
            help="Check on images of this many channels, rows and columns.",
            show_default="several shapes",
        ),
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Check the promises of a threat, scalarizer, model or data set, moat's or your own.

    Each promise is a line: kept, or broken with what was found. Exit code 1: a promise is broken.
    """
    if name is None:
        _list(kind, form)
        return
    from moat.cli.promise_lines import promise_count, promise_heading, promise_line, promise_sheet
    from moat.plugin_kit.candidate import candidate_of
    from moat.plugin_kit.kinds import ExtensionKind
    from moat.plugin_kit.trials import trial_of

    images = shape_of(shape)
    candidate = candidate_of(name, set_ or (), ExtensionKind(kind.value) if kind else None)
    found = []
    if form is Format.table:
        say(promise_heading(candidate))
    for verdict in trial_of(candidate, images).verdicts():
        found.append(verdict)
        if form is Format.table:
            say(promise_line(verdict, candidate))
    if form is Format.table:
        say(promise_count(found))
    else:
        typer.echo(sheet_text(promise_sheet(found, candidate), form))
    if any(verdict.breach for verdict in found):
        raise typer.Exit(1)


def _list(kind: PluginKind | None, form: Format) -> None:
    from moat.catalogue import catalogue
    from moat.cli.console import console
    from moat.cli.names_sheet import kinds_sheet
    from moat.sheets import terminal_of

    kinds = [kind] if kind else list(PluginKind)
    sheet = kinds_sheet({one.value: catalogue(f"{one.value}s") for one in kinds})
    if form is Format.table:
        console.print(terminal_of(sheet, gap=2))
    else:
        typer.echo(sheet_text(sheet, form))
