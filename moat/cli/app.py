"""The commands. Exit codes: 0 done, 1 a run failed (the others went on), 2 bad input."""

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from moat.cli.failures import failure_lines
from moat.cli.options import Device, DeviceOption, Listing, Overrides
from moat.version import __version__

app = typer.Typer(
    help="Train classifiers that withstand several kinds of attack; see what each choice costs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

RUN_FAILED, INTERRUPTED = 1, 130


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


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="The study's TOML file.")],
    only: Annotated[
        list[str] | None, typer.Option(metavar="VARIANT", help="Only this variant; repeatable.")
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed; repeatable.")] = None,
    set_: Overrides = None,
    results: Annotated[Path, typer.Option(help="Where studies are kept.")] = Path("results"),
    device: DeviceOption = Device.auto,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Train again what another recipe trained or what is broken."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Validate, list the runs and their cost; train nothing."),
    ] = False,
) -> None:
    """Run what is not done yet of a study; run again, it goes on where it was."""
    picked = {"overrides": set_ or (), "only": only or (), "seeds": seed or ()}
    if dry_run:
        _dry_run(recipe, picked, device, results)
        return
    try:
        from moat.cli.display import listener_for_terminal
        from moat.study import train as train_study

        with listener_for_terminal() as listener:
            result = train_study(
                recipe,
                **picked,  # type: ignore[arg-type]
                results=results,
                device=device.value,
                overwrite=overwrite,
                listener=listener,
            )
    except KeyboardInterrupt:
        again = shlex.join(["moat", *sys.argv[1:]])
        typer.echo(
            "\nInterrupted. What is finished and the last checkpoint are kept; go on with:\n"
            f"  {again}",
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None
    for line in failure_lines(result.failed):
        typer.echo(line, err=True)
    typer.echo(
        f"{len(result.done)} run(s) done, {len(result.skipped)} skipped as finished, "
        f"{len(result.failed)} failed."
    )
    if result.done or result.skipped:
        folder = shlex.quote(str(result.folder))
        typer.echo(f"Next: moat front {folder}\n      moat report {folder}")
    if result.failed:
        raise typer.Exit(max(error.exit_code for error in result.failed.values()))


@app.command()
def evaluate(
    run: Annotated[
        list[Path] | None, typer.Argument(help="Finished runs, or folders with some below.")
    ] = None,
    protocol: Annotated[
        Path | None, typer.Option(help="Judge by this file, in folders beside the runs'.")
    ] = None,
    set_: Overrides = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Any model: python:module:callable, torchvision:<name>."),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="The model's weights: .pth, .pt or .safetensors.")
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="What the model is called with; repeatable."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="LABEL", help="What the model is called in reports.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(help="Where evaluations are kept: the runs' own folder, else ./results."),
    ] = None,
    device: DeviceOption = Device.auto,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Make again what is there; replace another model's."),
    ] = False,
) -> None:
    """Evaluate finished runs again, or under another protocol, or anybody's model."""
    from moat.cli.evaluation import Asked
    from moat.cli.evaluation import evaluate as evaluate_asked

    evaluate_asked(
        Asked(
            runs=run or (),
            protocol=protocol,
            overrides=set_ or (),
            model=model,
            checkpoint=checkpoint,
            arguments=arg or (),
            name=name,
            results=results,
            device=device.value,
            overwrite=overwrite,
        )
    )


@app.command()
def score(
    run: Annotated[list[Path], typer.Argument(help="Finished runs, or folders with some below.")],
    union: Annotated[
        str | None, typer.Option(metavar="THREAT,...", help="Add the union over these alone.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Add the universal score against this run.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print plain JSON.")] = False,
) -> None:
    """Show every score of single runs, from their stored outcomes: no attack is run."""
    from moat.cli.display import console
    from moat.report import run_table, score_runs

    scored = score_runs(run, _listed(union), baseline)
    if as_json:
        typer.echo(json.dumps([one.as_table() for one in scored], indent=2, allow_nan=False))
        return
    for one in scored:
        console.print(run_table(one))


@app.command()
def front(
    results: Annotated[Path, typer.Argument(help="A folder with finished runs below it.")],
    merge: Annotated[
        bool,
        typer.Option("--merge", help="Put all runs on one front; refused where they are unequal."),
    ] = False,
    objectives: Annotated[
        str | None,
        typer.Option(
            metavar="SCORE,...", help="What the front is of: natural, union, total, threats, ..."
        ),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="RESULTS", help="Measure it against the front there.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the files go; RESULTS if not given.")
    ] = None,
) -> None:
    """Show which runs no other run dominates, and write the table and the picture."""
    from moat.cli.display import console
    from moat.report import front_table, make_fronts, write_front

    report = make_fronts(results, merge=merge, objectives=_listed(objectives), against=against)
    for message in report.skipped:
        typer.echo(f"skipped: {message}", err=True)
    for one in report.fronts:
        console.print(front_table(one, console.width))
    for path in write_front(report, out or results):
        typer.echo(f"wrote {path}")


@app.command()
def report(
    results: Annotated[Path, typer.Argument(help="A folder with finished runs below it.")],
    recipe: Annotated[
        Path | None,
        typer.Option(help="Take the published figures from this file, not from the runs' own."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="RESULTS", help="Set the same runs under another protocol beside these."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the files go; RESULTS if not given.")
    ] = None,
) -> None:
    """Show every score, runs across and scores down, beside the figures that a paper prints."""
    from moat.cli.display import console
    from moat.cli.published import published_of
    from moat.report import (
        against_table,
        compare,
        make_scoreboards,
        score_table,
        write_against,
        write_report,
    )

    if against:
        if recipe:
            raise typer.BadParameter("published figures and another protocol are two reports")
        comparison = compare(results, against)
        console.print(against_table(comparison))
        for path in write_against(comparison, out or results):
            typer.echo(f"wrote {path}")
        return
    published, variants = published_of(recipe) if recipe else (None, [])
    made = make_scoreboards(results, published, variants)
    for message in made.messages:
        typer.echo(message, err=True)
    for board in made.boards:
        console.print(score_table(board, console.width))
    for path in write_report(made, out or results):
        typer.echo(f"wrote {path}")


@app.command("list")
def list_(kind: Annotated[Listing, typer.Argument(help="What to list.")]) -> None:
    """Show what a recipe can name, and the package that each comes from."""
    from importlib import import_module

    from moat.cli.display import console
    from moat.cli.tables import registry_table
    from moat.registry import Registry

    module = {"datasets": "data"}.get(kind.value, kind.value)
    registry: Registry[object] = import_module(f"moat.{module}").registry
    console.print(registry_table(registry))


@app.command()
def schema() -> None:
    """Print the JSON schema of a recipe, for editors."""
    from moat.recipe import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def _listed(text: str | None) -> list[str]:
    return [] if text is None else [name.strip() for name in text.split(",")]


def _dry_run(recipe: Path, picked: Mapping[str, object], device: Device, results: Path) -> None:
    """Validate the recipe, load its data, time a few passes, and print what the study costs."""
    from moat.cli.display import console
    from moat.cli.tables import estimates_table
    from moat.runs import CACHE
    from moat.study import estimate_all, plan

    plans = plan(recipe, **picked)  # type: ignore[arg-type]
    console.print(estimates_table(estimate_all(plans, device.value, results / CACHE)))
