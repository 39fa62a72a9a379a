"""The forms of `moat evaluate`: runs again, runs under another protocol, any other model."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from moat.cli.console import console
from moat.cli.display import PlainLines, listener_for_terminal, scores_line
from moat.cli.estimates_sheet import evaluations_table
from moat.cli.evaluate_options import EvaluateOptions
from moat.cli.failures import failure_code, failure_lines
from moat.cli.lines import say
from moat.cli.options import INTERRUPTED, weights_of
from moat.cli.second_look import second_look
from moat.errors import MoatError
from moat.events import Listener, StudyStart
from moat.report import failed_checks, read_point
from moat.runs import RunFolder, as_typed, is_bundle, opened
from moat.study import (
    Judged,
    evaluate_model,
    evaluate_points,
    evaluate_runs,
    evaluate_under,
    point_runs,
    trained_runs,
)
from moat.study.evaluation_estimates import estimate_model, estimate_runs, estimate_under
from moat.study.places import PlaceKeys


def evaluate_asked(asked: EvaluateOptions) -> None:
    """Evaluate what is named, say each result, and exit with what went wrong."""
    _require_one_form(asked)
    if asked.dry_run:
        _dry_run(asked)
        return
    done: list[Judged] = []
    runs = _runs(asked)
    try:
        with listener_for_terminal() as listener:
            listener(StudyStart(runs=len(runs) or 1))
            for one in _judged(asked, runs, listener):
                done.append(one)
                _say(one)
    except KeyboardInterrupt:
        say(
            "\nInterrupted. Finished searches are kept; continue with:\n  "
            + shlex.join(_again(asked, runs[len(done) :])),
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None
    failed = {one.folder: one.error for one in done if one.error}
    for study in dict.fromkeys(one.study for one in done if one.study):
        say(f"Next: moat front {shlex.quote(str(study))}")
    _end(failed, len(done))


def _runs(asked: EvaluateOptions) -> list[Path]:
    """Return the named runs; for a point, those of conditioned networks, and say what is left."""
    named = [opened(run, weights=True) for run in asked.run or ()]
    if asked.model or not _names_point(asked):
        return [] if asked.model else trained_runs(named)
    runs, others = point_runs(named)
    if others:
        say(f"Left out: {len(others)} run(s) without a conditioned network.")
    return runs


def _dry_run(asked: EvaluateOptions) -> None:
    """Print what the evaluations cost and what is there of them; search and write nothing."""
    runs = [] if asked.model else trained_runs([opened(r, weights=True) for r in asked.run or ()])
    place = PlaceKeys(
        results=asked.results,
        device=asked.device,
        overwrite=asked.overwrite,
        listener=PlainLines(),
    )
    overrides = asked.set_ or ()
    if not asked.protocol:
        estimates, looks = estimate_runs(runs, asked.device, PlainLines())
    elif not asked.model:
        estimates, looks = estimate_under(
            asked.protocol, runs, overrides=overrides, validation=asked.validation, **place
        )
    else:
        estimates, looks = estimate_model(
            asked.model,
            asked.protocol,
            checkpoint=asked.checkpoint,
            arguments=asked.arg or (),
            name=asked.name,
            overrides=overrides,
            **place,
        )
    console.print(evaluations_table(estimates, console.width))
    for line in second_look(looks):
        say(as_typed(line))
    refused = {one.folder: one.missing for one in estimates if one.state == "refused"}
    _end({folder: error for folder, error in refused.items() if error}, len(estimates), "refused")


def _end(failed: dict[Path, MoatError], of: int, head: str = "failed") -> None:
    """Say what failed, and exit with its code."""
    for line in failure_lines(failed, head):
        say(as_typed(line), err=True)
    if failed:
        raise typer.Exit(failure_code(failed.values(), others=len(failed) < of))


def _judged(asked: EvaluateOptions, runs: Sequence[Path], listener: Listener) -> Iterator[Judged]:
    if _names_point(asked):
        text = asked.preference
        weights = None if text is None else weights_of(text, "--preference", "an objective")
        yield from evaluate_points(
            runs,
            at=asked.at,
            preference=weights,
            device=asked.device,
            overwrite=asked.overwrite,
            listener=listener,
        )
    elif not asked.protocol:
        yield from evaluate_runs(runs, asked.device, listener)
    elif not asked.model:
        yield from evaluate_under(
            asked.protocol,
            runs,
            overrides=asked.set_ or (),
            results=asked.results,
            device=asked.device,
            overwrite=asked.overwrite,
            validation=asked.validation,
            listener=listener,
        )
    else:
        yield evaluate_model(
            asked.model,
            asked.protocol,
            checkpoint=asked.checkpoint,
            arguments=asked.arg or (),
            name=asked.name,
            overrides=asked.set_ or (),
            results=asked.results or "results",
            device=asked.device,
            overwrite=asked.overwrite,
            listener=listener,
        )


def _names_point(asked: EvaluateOptions) -> bool:
    return asked.at is not None or asked.preference is not None


def _say(one: Judged) -> None:
    if one.scores:
        before = "evaluated before: " if one.before else ""
        say(f"{one.folder}: {before}{scores_line(one.scores)}")
        for doubt in failed_checks(read_point(RunFolder(one.folder), one.folder)):
            say(f"  {doubt}")


def _again(asked: EvaluateOptions, left: Sequence[Path]) -> list[str]:
    """Return the command that goes on: the same, unless it would do again what is done."""
    if _names_point(asked):  # what is begun anew goes on
        return ["moat", *(word for word in sys.argv[1:] if word != "--overwrite")]
    if asked.model or (asked.protocol and not asked.overwrite):
        return ["moat", *sys.argv[1:]]
    words = ["moat", "evaluate", *(as_typed(str(run)) for run in left), "--device", asked.device]
    if asked.allow_code is not None:
        words.append("--allow-code" if asked.allow_code else "--no-code")
    if asked.protocol:
        words += ["--protocol", str(asked.protocol), "--overwrite"]
        words += [word for text in asked.set_ or () for word in ("--set", text)]
        words += ["--results", str(asked.results)] if asked.results else []
        words += ["--validation"] if asked.validation else []
    return words


def _require_one_form(asked: EvaluateOptions) -> None:
    """Raise MoatError where what is named does not go together."""
    wants: dict[str, dict[str, object]] = {
        "--model": {
            "--checkpoint": asked.checkpoint,
            "--arg": asked.arg,
            "--name": asked.name,
        },
        "--protocol": {
            "--model": asked.model,
            "--set": asked.set_,
            "--results": asked.results,
            "--overwrite": asked.overwrite and not _names_point(asked),
            "--validation": asked.validation,
        },
    }
    given = {"--protocol": asked.protocol, "--model": asked.model}
    for needed, options in wants.items():
        for option, value in options.items():
            if value and not given[needed]:
                others = ", --at or --preference" if option == "--overwrite" else ""
                raise MoatError(f"{option} needs {needed}{others}.", hint=_FORMS)
    if _names_point(asked):
        for option, value in wants["--protocol"].items():
            if value or asked.protocol:
                other = option if value else "--protocol"
                raise MoatError(f"--at and --preference do not go with {other}.", hint=_FORMS)
        if asked.dry_run:
            raise MoatError(
                "--dry-run lists evaluations of runs that exist; a new point has none.",
                hint="Leave --dry-run out: a point costs one evaluation, without training.",
            )
    if asked.run and asked.model:
        raise MoatError("runs and --model need a call each.", hint=_FORMS)
    if asked.validation and asked.model:
        raise MoatError(
            "--validation evaluates the examples that a moat run held out of its training; for "
            "--model they are unknown.",
            hint=_FORMS,
        )
    bundles = [run for run in (asked.run or ()) if is_bundle(run)]
    if bundles and not asked.results:
        raise MoatError(
            "an evaluation is kept beside its run, and a bundle is read-only.",
            where=str(bundles[0]),
            hint="Unpack it and name the folder, or keep the evaluation elsewhere: "
            "--protocol FILE --results FOLDER",
        )
    if not asked.run and not asked.model:
        raise MoatError("there is nothing to evaluate.", hint=_FORMS)


_FORMS = """\
runs, once more:               moat evaluate RUN...
a conditioned network:         moat evaluate RUN... --at 0.4 (or --preference natural=0.3,pgd=0.7)
runs, under another protocol:  moat evaluate RUN... --protocol FILE
any model:                     moat evaluate --model python:module:callable --checkpoint FILE \
--protocol FILE"""
