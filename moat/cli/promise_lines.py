"""The results of a candidate's promises, as lines for the terminal and as a table."""

from collections.abc import Sequence

from moat.plugin_kit.candidate import Candidate
from moat.sheets import FAINT, STRONG, Sheet
from moat.testing import PromiseVerdict
from moat.testing.promise import PromiseState


def promise_heading(candidate: Candidate) -> str:
    """Return what is checked, with its fields."""
    return f"{candidate.kind.words} {candidate.name} ({candidate.origin}): {candidate.value!r}"


def promise_line(verdict: PromiseVerdict, candidate: Candidate) -> str:
    """Return one promise in one line, a broken one with what was found."""
    return f"{verdict.state:<8}  {_found(verdict, candidate)}"


def promise_count(found: Sequence[PromiseVerdict]) -> str:
    """Return how many promises are kept, and how many broken."""
    counts = {state: sum(one.state == state for one in found) for state in PromiseState}
    kept, broken = counts[PromiseState.kept], counts[PromiseState.broken]
    return f"{kept} promise(s) kept, {broken} broken."


def promise_sheet(found: Sequence[PromiseVerdict], candidate: Candidate) -> Sheet:
    """Return a row for each promise, with what was found."""
    rows = tuple(
        (one.promise, one.state.value, _breach(one, candidate) or one.reason) for one in found
    )
    looks = {PromiseState.broken: STRONG, PromiseState.not_made: FAINT}
    return Sheet(
        ("promise", "state", "found"),
        rows,
        "lll",
        title=promise_heading(candidate),
        notes=(promise_count(found),),
        emphasis=tuple(looks.get(one.state, "") for one in found),
    )


def _found(verdict: PromiseVerdict, candidate: Candidate) -> str:
    reason = f": {verdict.reason}" if verdict.reason else ""
    return _breach(verdict, candidate) or f"{verdict.promise}{reason}"


def _breach(verdict: PromiseVerdict, candidate: Candidate) -> str:
    return verdict.breach.removeprefix(f"{candidate.value!r}: ")
