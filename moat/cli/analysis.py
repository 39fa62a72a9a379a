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
from moat.records import AnalysisFinding
from moat.report.figures.files import FORMATS, write_analysis
from moat.runs import as_typed
from moat.study.analyses import AnalysisRequest, Complete, analyses_folder

_Make = Callable[[AnalysisRequest, Path, Listener], Complete]


def analyze_asked(options: AnalyzeOptions, make: _Make) -> None:
    """Make an analysis, write its files, and say its findings."""
    formats, stem = formats_of(options.format), stem_of(options.called)
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
    written = OutputFiles()
    written.write(lambda: write_analysis(found, out, name=stem, formats=formats))
    if not written.refusal:
        parts.clear()
    for finding in found.findings:
        say(as_typed(finding_line(finding)))
    written.say()


def finding_line(finding: AnalysisFinding) -> str:
    """Return a finding in one line: the sentence, then its number with the interval.

    Example:
        >>> finding_line(AnalysisFinding("flow: a falls less", 2.0, 1.25, 3.0, "%"))
        'flow: a falls less: 2 [1.25, 3] %'
    """
    text = f"warning: {finding.text}" if finding.is_warning else finding.text
    if finding.value is None:
        return f"{text}."
    ends = "" if finding.low is None else f" [{finding.low:.3g}, {finding.high:.3g}]"
    return f"{text}: {finding.value:.3g}{ends} {finding.unit}".rstrip()


def formats_of(texts: Sequence[str] | None) -> tuple[str, ...]:
    """Return the formats of an option; AnalysisError for an unknown one."""
    formats = [name for text in texts or () for name in listed(text)]
    for name in formats:
        if name not in FORMATS:
            raise AnalysisError(
                f"no picture is written as {name!r}.{did_you_mean(name, FORMATS)}",
                where="--format",
                hint=f"known: {', '.join(FORMATS)}",
            )
    return tuple(dict.fromkeys(formats)) or FORMATS[:2]


def stem_of(name: str | None) -> str:
    """Return the name of the files, "" for the kind's; AnalysisError for none of a file's."""
    if name is not None and (why := why_no_name(name)):
        raise AnalysisError(f"{name!r} cannot be the name of files: {why}.", where="--as")
    return name or ""
