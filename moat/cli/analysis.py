"""A call of `moat analyze`: models in, files out, findings on the screen."""

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from moat.allocator import own_process
from moat.cli.analyze_options import AnalyzeOptions
from moat.cli.display.analysis import analysis_listener
from moat.cli.lines import say
from moat.cli.options import INTERRUPTED, consent_to, listed
from moat.cli.output_files import OutputFiles
from moat.consent import consenting
from moat.errors import AnalysisError, did_you_mean
from moat.events import Listener
from moat.names import why_no_name
from moat.records import Analysis, AnalysisFinding
from moat.report.figures.caption import finding_line
from moat.report.figures.files import FORMATS, write_analysis
from moat.report.figures.film import FILM_FORMATS
from moat.runs import as_typed
from moat.study.analyses import AnalysisRequest, Complete, analyses_folder

_MOST_FINDINGS = 20
_Make = Callable[[AnalysisRequest, Path, Listener], Complete]


def analyze_asked(options: AnalyzeOptions, make: _Make, *, film: bool = False) -> None:
    """Make an analysis, write its files, and say its findings."""
    formats, stem = formats_of(options.format, film=film), stem_of(options.called)
    request = AnalysisRequest(
        runs=options.run or (),
        model=options.model,
        checkpoint=options.checkpoint,
        arguments=options.arg or (),
        name=options.name,
        protocol=options.protocol,
        overrides=options.set_ or (),
        device=options.device,
    )
    with own_process(), consenting(consent_to(options.allow_code)):
        out = analyses_folder(request.runs, options.out)
        try:
            with analysis_listener() as listener:
                found, parts = make(request, out, listener)
        except KeyboardInterrupt:
            again = shlex.join(["moat", *sys.argv[1:]])
            say(f"\nInterrupted. Finished parts are kept; continue with:\n  {again}", err=True)
            raise typer.Exit(INTERRUPTED) from None
    say_analysis(found, out, stem, formats, parts.clear)


def say_analysis(
    found: Analysis,
    out: Path,
    stem: str,
    formats: Sequence[str],
    then: Callable[[], object] = lambda: None,
) -> None:
    """Write the files of an analysis, and `then` if all are written; say its findings."""
    written = OutputFiles()
    written.write(lambda: write_analysis(found, out, name=stem, formats=formats))
    if not written.refusal:
        then()
    record = out / f"{stem or found.kind}.json"
    for line in findings_said(found.findings, record):
        say(as_typed(line))
    written.say()


def findings_said(findings: Sequence[AnalysisFinding], record: Path) -> list[str]:
    """Return a line for each of the first findings, warnings before others, and how many are left.

    Example:
        >>> each = [AnalysisFinding(f"{number} is a number") for number in range(30)]
        >>> len(lines := findings_said(each, Path("a.json"))), lines[-1]
        (21, '10 more findings are in a.json.')
    """
    ranked = sorted(range(len(findings)), key=lambda place: not findings[place].is_warning)
    lines = [finding_line(findings[place]) for place in sorted(ranked[:_MOST_FINDINGS])]
    others = [findings[place] for place in ranked[_MOST_FINDINGS:]]
    if others:
        noun = "more finding is" if len(others) == 1 else "more findings are"
        warnings = sum(one.is_warning for one in others)
        among = f", {warnings} of them warnings" if warnings else ""
        lines.append(f"{len(others)} {noun} in {record}{among}.")
    return lines


def formats_of(texts: Sequence[str] | None, *, film: bool = False) -> tuple[str, ...]:
    """Return the formats of an option; AnalysisError for an unknown one.

    Only a `film` has those of moving pictures; by default it is an APNG beside the picture.
    """
    known = (*FORMATS, *FILM_FORMATS) if film else FORMATS
    formats = [name for text in texts or () for name in listed(text)]
    for name in formats:
        if not film and name in FILM_FORMATS:
            raise AnalysisError(
                f"a film is written as {name}, and this call makes none.",
                where="--format",
                hint="moat analyze examples RUN --animate makes one.",
            )
        if name not in known:
            raise AnalysisError(
                f"no picture is written as {name!r}.{did_you_mean(name, known)}",
                where="--format",
                hint=f"known: {', '.join(known)}",
            )
    if film and not set(formats) & set(FILM_FORMATS):
        formats = [*(formats or FORMATS[:2]), FILM_FORMATS[0]]
    return tuple(dict.fromkeys(formats)) or FORMATS[:2]


def stem_of(name: str | None) -> str:
    """Return the name of the files, "" for the kind's; AnalysisError for none of a file's."""
    if name == "":
        raise AnalysisError(
            "the files have no name.",
            where="--as",
            hint="Name them, or leave --as out: they have the name of the kind.",
        )
    if name is not None and (why := why_no_name(name)):
        raise AnalysisError(f"{name!r} cannot be the name of files: {why}.", where="--as")
    return name or ""
