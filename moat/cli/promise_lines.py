"""What became of a subject's promises, as lines for the terminal and as a table."""

from collections.abc import Sequence

from moat.plugin_kit import Subject
from moat.sheets import FAINT, STRONG, Sheet
from moat.testing import PromiseState, PromiseVerdict


def heading_of(subject: Subject) -> str:
    """Return what is checked, with its fields."""
    return f"{subject.kind.words} {subject.name} ({subject.origin}): {subject.value!r}"


def line_of(verdict: PromiseVerdict, subject: Subject) -> str:
    """Return one promise in one line, a broken one with what was found."""
    return f"{verdict.state:<8}  {_found(verdict, subject)}"


def sum_of(found: Sequence[PromiseVerdict]) -> str:
    """Return how many promises are kept, and how many broken."""
    counts = {state: sum(one.state == state for one in found) for state in PromiseState}
    kept, broken = counts[PromiseState.kept], counts[PromiseState.broken]
    return f"{kept} promise(s) kept, {broken} broken."


def promise_sheet(found: Sequence[PromiseVerdict], subject: Subject) -> Sheet:
    """Return a row a promise, with what was found."""
    rows = tuple((one.promise, one.state.value, _breach(one, subject)) for one in found)
    looks = {PromiseState.broken: STRONG, PromiseState.not_made: FAINT}
    return Sheet(
        ("promise", "state", "found"),
        rows,
        "lll",
        title=heading_of(subject),
        notes=(sum_of(found),),
        emphasis=tuple(looks.get(one.state, "") for one in found),
    )


def _found(verdict: PromiseVerdict, subject: Subject) -> str:
    return _breach(verdict, subject) or verdict.promise


def _breach(verdict: PromiseVerdict, subject: Subject) -> str:
    return verdict.breach.removeprefix(f"{subject.value!r}: ")
