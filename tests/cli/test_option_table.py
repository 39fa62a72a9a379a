from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from moat.cli.option_table import of_table


@dataclass(frozen=True)
class Table:
    """What a call names."""

    folder: Annotated[str, typer.Argument(help="Where.")]
    count: Annotated[int, typer.Option("--count", min=1)] = 2
    name: Annotated[list[str] | None, typer.Option(help="Repeatable.")] = None


def asked(*arguments: str):
    """Return what a command of this table is given, and how the call ended."""
    given = []

    @of_table
    def show(options: Table) -> None:
        """Show it."""
        given.append(options)

    app = typer.Typer()
    app.command()(show)
    return given, CliRunner().invoke(app, arguments)


def test_a_field_is_an_option_with_its_default_and_its_checks():
    given, answer = asked("here", "--name", "a", "--name", "b")
    assert answer.exit_code == 0, answer.output
    assert given == [Table("here", 2, ["a", "b"])]
    for wrong in ((), ("here", "--count", "0"), ("here", "--nme", "a")):
        given, answer = asked(*wrong)
        assert (given, answer.exit_code) == ([], 2)


def test_the_help_is_that_of_the_fields_and_of_the_command():
    _, answer = asked("--help")
    for said in ("Show it.", "Where.", "Repeatable.", "default: 2"):
        assert said in answer.output
