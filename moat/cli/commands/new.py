"""A package for a plug-in, to begin with."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from moat.cli.lines import say
from moat.cli.options import PluginKind


def new(
    kind: Annotated[PluginKind, typer.Argument(help="What the package adds.")],
    name: Annotated[str, typer.Argument(help="Its name in recipes, as in my-noise.")],
    folder: Annotated[
        Path | None,
        typer.Option(help="The folder to write; it must not exist.", show_default="moat-NAME"),
    ] = None,
) -> None:
    """Write a plug-in's package that passes moat check and its own tests, to be changed by you."""
    from moat.plugin_kit.skeleton import write_skeleton

    files = write_skeleton(kind.value, name, folder)
    home = Path(f"moat-{name}") if folder is None else folder
    for file in files:
        say(f"wrote {file}")
    module = next(file for file in files if file.stem == name.replace("-", "_")).relative_to(home)
    say(
        f"Next: cd {shlex.quote(str(home))}; moat check {module}; python -m pytest; "
        f"pip install -e ."
    )
