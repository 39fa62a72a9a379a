"""The caption of an analysis's picture: its notes and its warnings."""

from moat.records import Analysis


def caption_of(analysis: Analysis) -> str:
    """Return the caption of an analysis: its notes, then its warnings."""
    warnings = [finding.text + "." for finding in analysis.findings if finding.is_warning]
    return " ".join([*analysis.notes, *warnings])
