"""An analysis in words: the caption of its picture, and a line for each finding."""

from moat.records import Analysis, AnalysisFinding


def caption_of(analysis: Analysis) -> str:
    """Return the caption of an analysis: its notes, then its warnings."""
    warnings = [finding.text + "." for finding in analysis.findings if finding.is_warning]
    return " ".join([*analysis.notes, *warnings])


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
