"""A promise: a sentence, the check that finds where it is broken, and the verdict on a subject."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar, runtime_checkable

from moat.public import public
from moat.threats.cautions import told_elsewhere


@runtime_checkable
class PromiseCase(Protocol):
    """A subject and what it is checked on."""

    @property
    def subject(self) -> object:
        """What made the promises."""


C = TypeVar("C", bound=PromiseCase)


def every_case(_: PromiseCase) -> bool:
    """Say that the promise is made for every case."""
    return True


@public
@dataclass(frozen=True)
class Promise(Generic[C]):
    """What every subject of a kind promises, in a sentence, and the check that holds it to that.

    The check raises AssertionError with a sentence where the promise is broken. `made_for` says
    which cases it applies to.

    Example:
        >>> from moat.testing import THREAT_PROMISES
        >>> THREAT_PROMISES[0].text
        'the identity changes no image'
    """

    text: str
    check: Callable[[C], None]
    made_for: Callable[[C], bool] = every_case


class PromiseState(StrEnum):
    """What became of a promise; "not made" is one that does not apply to the subject."""

    kept = "kept"
    broken = "broken"
    not_made = "not made"


@public
@dataclass(frozen=True)
class PromiseVerdict:
    """A promise, what became of it, and the sentence that says how it was broken.

    Example:
        >>> PromiseVerdict("the plan measures something", PromiseState.kept).breach
        ''
    """

    promise: str
    state: PromiseState
    breach: str = ""


def require_promises(promises: Sequence[Promise[C]], case: C) -> None:
    """Raise AssertionError with the first promise that is broken on a case."""
    for promise in promises:
        if promise.made_for(case):
            _hold(promise, case)


@public
def verdicts(promises: Sequence[Promise[C]], cases: Sequence[C]) -> Iterator[PromiseVerdict]:
    """Yield what became of each promise, checked on every case that it applies to.

    Example:
        >>> from moat.scalarizers import Average
        >>> from moat.testing import SCALARIZER_PROMISES, ScalarizerCase
        >>> found = verdicts(SCALARIZER_PROMISES, [ScalarizerCase(Average())])
        >>> {verdict.state.value for verdict in found}
        {'kept'}
    """
    for promise in promises:
        asked = [case for case in cases if promise.made_for(case)]
        state, breach = PromiseState.kept if asked else PromiseState.not_made, ""
        for case in asked:
            try:
                _hold(promise, case)
            except AssertionError as error:
                state, breach = PromiseState.broken, str(error)
                break
        yield PromiseVerdict(promise.text, state, breach)


def _hold(promise: Promise[C], case: C) -> None:
    try:
        with told_elsewhere():  # of an unusual radius the caller was warned, or asked
            promise.check(case)
    except AssertionError:
        raise
    except (Exception, SystemExit) as error:
        line = str(error).strip().partition("\n")[0].rstrip(".")
        said = f"{type(error).__name__}: {line}" if line else type(error).__name__
        raise AssertionError(
            f"{case.subject!r}: it raises {said}. The promise: {promise.text}."
        ) from error
