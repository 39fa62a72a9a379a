"""Race rules: train seed after seed until a paired sequential test decides which is better."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moat.allocator import own_process
from moat.cli.formats import Format, FormatOption, sheets_text
from moat.cli.lines import say
from moat.cli.option_table import of_table
from moat.cli.options import (
    INTERRUPTED,
    CodeOption,
    Device,
    DeviceOption,
    Overrides,
    as_options,
    consent_to,
    listed,
    number,
    plain_number,
)
from moat.consent import consenting
from moat.errors import MoatError
from moat.events import Listener, StudyNote

if TYPE_CHECKING:
    from moat.report.race.race import Race


@dataclass(frozen=True)
class RaceOptions:
    """The arguments and options of `moat race`."""

    recipe: Annotated[
        Path,
        typer.Argument(help="The study's TOML file; or a study's folder or race.json, to show it."),
    ]
    rules: Annotated[
        str | None,
        typer.Option(metavar="LABEL,...", help="The rules: variants, or labels of runs."),
    ] = None
    score: Annotated[
        str, typer.Option(metavar="SCORE", help="Column of the front, or hypervolume.")
    ] = "total"
    margin: Annotated[
        float,
        typer.Option(
            parser=number,
            metavar="NUMBER",
            help="Smallest difference that matters, in points of the score.",
        ),
    ] = 0.0
    seeds: Annotated[
        str, typer.Option(metavar="FIRST..LAST", help="Seeds at the first look and at the last.")
    ] = "3..12"
    baseline: Annotated[
        str, typer.Option(help="Rule to compare with. Default: the first of two; else the leader.")
    ] = ""
    level: Annotated[
        float,
        typer.Option(
            parser=number,
            metavar="NUMBER",
            help="Probability of a wrong better or worse in the whole race.",
        ),
    ] = 0.05
    exact: Annotated[
        bool, typer.Option("--exact", help="Test by sign flips: differences need not be normal.")
    ] = False
    choose: Annotated[
        str | None,
        typer.Option(
            metavar="VARIANT,...",
            help="Race the point of the sweep that is best on held-out images.",
        ),
    ] = None
    objectives: Annotated[
        str | None,
        typer.Option(metavar="SCORE,...", help="Objectives of a hypervolume: natural,total."),
    ] = None
    reference: Annotated[
        str | None,
        typer.Option(metavar="NUMBER,...", help="Its reference point. Default: that of the front."),
    ] = None
    set_: Overrides = None
    results: Annotated[Path, typer.Option(help="Folder of the studies.")] = Path("results")
    device: DeviceOption = Device.auto
    jobs: Annotated[
        str, typer.Option(metavar="N|auto", help="Parallel runs, as for `moat train`.")
    ] = "1"
    form: FormatOption = Format.table
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files. Default: beside race.json.")
    ] = None
    allow_code: CodeOption = None


@of_table
def race(options: RaceOptions) -> None:
    """Train seed after seed of some rules until it is decided which is better.

    The plan is written to race.json before the first run. The same command goes on after a stop.
    """
    if _is_stored(options.recipe):
        _require_no_plan(options)
        for found in _stored(options.recipe):
            _show(found, options)
        return
    try:
        _show(_run(options), options)
    except KeyboardInterrupt:
        again = shlex.join(["moat", *sys.argv[1:]])
        say(
            "\nInterrupted. Finished runs, the last checkpoint and a written plan are kept. To go "
            f"on:\n  {again}",
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None


_ARGUMENTS = (
    *("rules", "score", "margin", "seeds", "baseline", "level"),
    *("choose", "objectives", "reference"),
)
"""The arguments of `moat.race` whose options have the same names."""


_SHOWS = ("recipe", "results", "device", "jobs", "form", "out", "allow_code")
"""The options that change no plan."""


def _require_no_plan(options: RaceOptions) -> None:
    """Raise MoatError for an option of a plan beside a stored race, which has its own."""
    given = [
        field.name.rstrip("_").replace("_", "-")
        for field in fields(options)
        if field.name not in _SHOWS and getattr(options, field.name) != field.default
    ]
    if given:
        raise MoatError(
            f"--{given[0]} has no effect: a stored race is shown by its own plan.",
            where=str(options.recipe),
            hint="Leave the option out; or name the recipe to plan another race, or go on.",
        )


def _run(options: RaceOptions) -> "Race":
    from moat.study import race as run_race
    from moat.study.job_count import jobs_of

    if not options.rules and not options.choose:
        _require_recipe(options.recipe)
        raise MoatError(
            "no rule is named.", where="--rules", hint='--rules average-at,"pareto r=0.7", say.'
        )
    named = {"objectives": listed(options.objectives), "reference": _numbers(options.reference)}
    with (
        own_process(),
        consenting(consent_to(options.allow_code, err=True)),
        _listener(options.form) as listener,
        as_options(*_ARGUMENTS),
    ):
        return run_race(
            options.recipe,
            [options.rules] if options.rules else [],
            score=options.score,
            margin=options.margin,
            seeds=options.seeds,
            jobs=jobs_of(options.jobs, "--jobs"),
            baseline=options.baseline,
            level=options.level,
            exact=options.exact,
            choose=[options.choose] if options.choose else [],
            **named,  # type: ignore[arg-type]
            overrides=options.set_ or (),
            results=options.results,
            device=options.device.value,
            listener=listener,
        )


@contextmanager
def _listener(form: Format) -> Iterator[Listener]:
    """Yield a listener that shows the progress, on standard error only notes beside a file."""
    if form is Format.table:
        from moat.cli.display import listener_for_terminal

        with listener_for_terminal() as listener:
            yield listener
        return
    yield lambda event: say(event.text, err=True) if isinstance(event, StudyNote) else None


def _is_stored(place: Path) -> bool:
    from moat.runs import is_bundle

    return place.is_dir() or place.suffix == ".json" or is_bundle(place)


def _require_recipe(place: Path) -> None:
    """Raise MoatError, with the nearest folder, for a path that is not that of a recipe."""
    from moat.recipe.packaged import file_or_packaged
    from moat.runs import require_results

    if place.suffix != ".toml" and not file_or_packaged(place).is_file():
        require_results(place, MoatError)


def _stored(place: Path) -> list["Race"]:
    """Return the races of a study's folder, or the one of a plan."""
    from moat.paths import files_below
    from moat.report.race.plan import plan_files
    from moat.report.race.race import read_race
    from moat.runs import opened

    place = place if place.suffix == ".json" else opened(place)
    studies = {path.parent for path in files_below(place) if path.suffix == ".json"}
    files = [file for study in sorted(studies) for file in plan_files(study)]
    files = files if place.is_dir() else [place]
    if not files:
        raise MoatError(
            "no race was planned in this folder.",
            where=str(place),
            hint="`moat race RECIPE --rules A,B` plans one and runs it.",
        )
    return list(map(read_race, files))


def _show(found: "Race", options: RaceOptions) -> None:
    from moat.cli.console import console
    from moat.cli.output_files import OutputFiles
    from moat.report.race.files import write_race
    from moat.report.race.sheets import looks_sheet, verdict_sheet
    from moat.runs import is_bundle
    from moat.sheets import narrowed, terminal_of

    bundled = is_bundle(options.recipe)  # nothing is written into a bundle
    written = OutputFiles()
    if options.out or not bundled:
        written.write(lambda: write_race(found, options.out))
    if options.form is not Format.table:
        say(_text(found, options.form))
        written.say(err=True)
        return
    spare = ("by examples", "p", "passes", "seeds", "mean")
    console.print(narrowed(verdict_sheet(found), console.width, spare, terminal_of))
    if found.looks:
        console.print(narrowed(looks_sheet(found), console.width, ("last seed",), terminal_of))
    written.say()


def _text(found: "Race", form: Format) -> str:
    from moat.report.race.files import race_csv, race_json, race_markdown
    from moat.report.race.sheets import looks_sheet, verdict_sheet

    made = {Format.csv: race_csv, Format.json: race_json, Format.markdown: race_markdown}
    if form in made:
        return made[form](found).rstrip("\n")
    return sheets_text([verdict_sheet(found), looks_sheet(found)], form)


def _numbers(text: str | None) -> list[float]:
    """Return numbers separated by commas; MoatError for what is not one."""
    try:
        return [plain_number(part) for part in listed(text)]
    except ValueError as error:
        raise MoatError(f"{error}.", where="--reference", hint="Write 80,0, say.") from error
