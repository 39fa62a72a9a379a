"""What `moat analyze` says of many findings: the first, every warning first of all, and a count."""

from pathlib import Path

import pytest

from moat.cli.analysis import findings_said
from moat.records import AnalysisFinding

RECORD = Path("analysis", "landscape.json")


def many(count, warnings=0):
    """Return findings of which the last few are warnings."""
    return [AnalysisFinding(f"f{n}", is_warning=n >= count - warnings) for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 20])
def test_up_to_twenty_findings_are_said_in_their_order(count):
    assert findings_said(many(count), RECORD) == [f"f{n}." for n in range(count)]


@pytest.mark.parametrize(
    ("count", "warnings", "last"),
    [
        (21, 0, f"1 more finding is in {RECORD}."),
        (81, 3, f"61 more findings are in {RECORD}."),
        (81, 25, f"61 more findings are in {RECORD}, 5 of them warnings."),
    ],
)
def test_of_more_findings_the_warnings_stay_and_the_rest_is_counted(count, warnings, last):
    lines = findings_said(many(count, warnings), RECORD)
    assert len(lines) == 21
    assert lines[-1] == last
    assert sum(line.startswith("warning: ") for line in lines) == min(warnings, 20)
