"""Train and evaluate the unfinished runs of a study, or estimate their cost."""

import shlex
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from moat.allocator import own_process
from moat.cli.failures import failure_code, failure_lines
from moat.cli.lines import say
from moat.cli.options import (
    INTERRUPTED,
    CodeOption,
    Device,
    DeviceOption,
    Overrides,
    consent_to,
    seeds_of,
)
from moat.consent import consenting


def train(
    recipe: Annotated[Path, typer.Argument(help="The study's TOML file.")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VARIANT,...", help="Only these variants, or labels of runs; repeatable."
        ),
    ] = None,
    seed: Annotated[
        list[str] | None, typer.Option(metavar="SEED,...", help="Only these seeds; repeatable.")
    ] = None,
    set_: Overrides = None,
    results: Annotated[Path, typer.Option(help="Folder of the studies.")] = Path("results"),
    device: DeviceOption = Device.auto,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Train broken runs, and runs of a changed recipe, again."),
    ] = False,
    jobs: Annotated[
        str,
        typer.Option(
            metavar="N|auto",
            help="Parallel runs, each in a process with its share of the cores; auto: as many as "
            "cores and memory allow, one on a GPU.",
        ),
    ] = "1",
    tensorboard: Annotated[
        bool,
        typer.Option("--tensorboard", help="Write each run's curves for TensorBoard as well."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Validate the recipe, list the runs and their cost; train nothing."
        ),
    ] = False,
    allow_code: CodeOption = None,
) -> None:
    """Train and evaluate the unfinished runs of a study; after a stop, run it again to go on."""
    picked = {"overrides": set_ or (), "only": only or (), "seeds": seeds_of(seed)}
    if dry_run:
        from moat.study.job_count import jobs_of

        jobs_of(jobs, "--jobs")
        with own_process(), consenting(consent_to(allow_code)):
            _dry_run(recipe, picked, device, results)
        return
    try:
        from moat.cli.display import listener_for_terminal, with_each_failure_once
        from moat.events import each
        from moat.study import TensorBoard
        from moat.study import train as train_study
        from moat.study.job_count import jobs_of

        with ExitStack() as stack:
            stack.enter_context(own_process())
            stack.enter_context(consenting(consent_to(allow_code)))
            curves = [stack.enter_context(closing(TensorBoard()))] if tensorboard else []
            shown = with_each_failure_once(stack.enter_context(listener_for_terminal()))
            listener = each(shown, *curves)
            result = train_study(
                recipe,
                **picked,  # type: ignore[arg-type]
                results=results,
                device=device.value,
                overwrite=overwrite,
                jobs=jobs_of(jobs, "--jobs"),
                listener=listener,
            )
    except KeyboardInterrupt:
        again = shlex.join(["moat", *sys.argv[1:]])
        say(
            f"\nInterrupted. Finished runs and the last checkpoint are kept. To go on:\n  {again}",
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None
    for line in failure_lines(result.failed):
        say(line, err=True)
    for run, busy in result.held.items():
        say(f"held by another process: {run}: {busy.message}", err=True)
    held = f", {len(result.held)} held by other processes" if result.held else ""
    say(
        f"{len(result.done)} run(s) done, {len(result.skipped)} skipped as finished, "
        f"{len(result.failed)} failed{held}."
    )
    if result.done or result.skipped:
        folder = shlex.quote(str(result.folder))
        say(f"Next: moat front {folder}\n      moat report {folder}")
    if result.failed:
        others = bool(result.done or result.skipped or result.held)
        raise typer.Exit(failure_code(result.failed.values(), others=others))


def _dry_run(recipe: Path, picked: Mapping[str, object], device: Device, results: Path) -> None:
    """Validate the recipe, time a few passes, print what it costs and what looks odd."""
    from moat.cli.console import console
    from moat.cli.display import PlainLines
    from moat.cli.estimates_sheet import estimates_table
    from moat.cli.second_look import second_look
    from moat.paths import require_place
    from moat.runs import CACHE
    from moat.study import estimate_all, oddities_of_estimates, plan

    require_place(results)
    plans = plan(recipe, **picked)  # type: ignore[arg-type]
    estimates = estimate_all(plans, device.value, results / CACHE, PlainLines())
    console.print(estimates_table(estimates, console.width))
    for line in second_look(oddities_of_estimates(estimates, plans[0].source, device.value)):
        say(line)
