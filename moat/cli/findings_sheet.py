"""The findings of `moat doctor`, as a table."""

from collections.abc import Sequence

from moat.doctor import Finding, Health
from moat.sheets import FAINT, STRONG, Sheet


def findings_sheet(findings: Sequence[Finding]) -> Sheet:
    """Return a row for each finding, with a rule above each area; the last note is the verdict."""
    rows = tuple((one.area, one.subject, one.state, one.found, one.mend) for one in findings)
    areas = [one.area for one in findings]
    starts = (n for n in range(1, len(areas)) if areas[n] != areas[n - 1])
    looks = {Health.fault: STRONG, Health.absent: FAINT}
    return Sheet(
        ("area", "subject", "state", "found", "mend"),
        rows,
        "lllll",
        notes=(_verdict(findings),),
        emphasis=tuple(looks.get(one.state, "") for one in findings),
        sections=frozenset(starts),
    )


def _verdict(findings: Sequence[Finding]) -> str:
    faults = sum(one.state == Health.fault for one in findings)
    doubts = sum(one.state not in (Health.fault, Health.ok, Health.absent) for one in findings)
    counted = f"{faults} fault(s), {doubts} warning(s)."
    return counted + (" A fault stops moat: mend it first." if faults else " moat can work here.")
