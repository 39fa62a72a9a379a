"""Check this machine for moat: each fault with its mend."""

from pathlib import Path
from typing import Annotated

import typer

from moat.cli.formats import Format, FormatOption, sheet_text


def doctor(
    results: Annotated[Path, typer.Option(help="Folder of the studies.")] = Path("results"),
    form: FormatOption = Format.table,
) -> None:
    """Check packages, devices, back ends, plug-ins and folders; exit with 1 on a fault."""
    from moat.cli.console import console
    from moat.cli.findings_sheet import findings_sheet
    from moat.doctor import Health, diagnose
    from moat.sheets import terminal_of

    findings = diagnose(results)
    sheet = findings_sheet(findings)
    if form is Format.table:
        console.print(terminal_of(sheet, gap=2))
    else:
        typer.echo(sheet_text(sheet, form))
    if any(finding.state == Health.fault for finding in findings):
        raise typer.Exit(1)
