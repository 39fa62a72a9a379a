"""A promise: a sentence, the check that finds where it is broken, and the verdict on a subject."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar, runtime_checkable

from moat.public import public
from moat.testing.breach import StructuralBreach
from moat.threats.cautions import told_elsewhere


@runtime_checkable
class PromiseCase(Protocol):
    """A subject and what it is checked on."""

    @property
    def subject(self) -> object:
        """The subject of the promises."""


C = TypeVar("C", bound=PromiseCase)


def every_case(_: PromiseCase) -> bool:
    """Say that the promise is made for every case."""
    return True


@public
@dataclass(frozen=True)
class Promise(Generic[C]):
    """A promise of every subject of a kind, in a sentence, and its check.

    The check raises AssertionError with a sentence where the promise is broken. `made_for` says
    which cases it applies to. `is_basis` is true where the other promises need what this one
    checks.

    Example:
        >>> from moat.testing import THREAT_PROMISES
        >>> THREAT_PROMISES[0].text
        'the identity changes no image'
    """

    text: str
    check: Callable[[C], None]
    made_for: Callable[[C], bool] = every_case
    is_basis: bool = False


class PromiseState(StrEnum):
    """The state of a promise; "not made" is one that does not apply, or not as things are."""

    kept = "kept"
    broken = "broken"
    not_made = "not made"


@public
@dataclass(frozen=True)
class PromiseVerdict:
    """A promise, what became of it, and the sentence that says how it was broken.

    `reason` says why a promise that applies is not made: an earlier one is broken, by the same
    fault or in a way that leaves nothing to check.

    Example:
        >>> PromiseVerdict("the plan measures something", PromiseState.kept).breach
        ''
    """

    promise: str
    state: PromiseState
    breach: str = ""
    reason: str = ""


def require_promises(promises: Sequence[Promise[C]], case: C) -> None:
    """Raise AssertionError with the first promise that is broken on a case."""
    for promise in promises:
        if promise.made_for(case):
            _hold(promise, case)


@public
def verdicts(promises: Sequence[Promise[C]], cases: Sequence[C]) -> Iterator[PromiseVerdict]:
    """Yield what became of each promise, checked on every case that it applies to.

    A fault is told once: a promise that is broken by an earlier one's fault is not made.

    Example:
        >>> from moat.scalarizers import Average
        >>> from moat.testing import SCALARIZER_PROMISES, ScalarizerCase
        >>> found = verdicts(SCALARIZER_PROMISES, [ScalarizerCase(Average())])
        >>> sorted({verdict.state.value for verdict in found})  # it declares no `support`
        ['kept', 'not made']
    """
    told: set[str] = set()  # the faults
    is_lost = False  # without what a basis checks, the others say nothing
    for promise in promises:
        asked = [case for case in cases if promise.made_for(case)]
        error = _breach(promise, asked)
        if not asked:
            yield PromiseVerdict(promise.text, PromiseState.not_made)
        elif error is None:
            yield PromiseVerdict(promise.text, PromiseState.kept)
        elif _fault(error) in told or (is_lost and not promise.is_basis):
            yield PromiseVerdict(promise.text, PromiseState.not_made, reason=_EARLIER)
        else:
            told.add(_fault(error))
            is_lost |= promise.is_basis and _leaves_nothing(error)
            yield PromiseVerdict(promise.text, PromiseState.broken, str(error))


_EARLIER = "depends on the broken promise above"


def _breach(promise: Promise[C], cases: Sequence[C]) -> AssertionError | None:
    """Return how a promise is broken on the first case that breaks it, None if it is kept."""
    for case in cases:
        try:
            _hold(promise, case)
        except AssertionError as error:
            return error
    return None


def _fault(error: AssertionError) -> str:
    """Return what tells a fault from others: what was raised, or else the whole sentence."""
    return _raised(error) or str(error)


def _leaves_nothing(error: AssertionError) -> bool:
    return bool(error.__cause__) or isinstance(error, StructuralBreach)


def _raised(error: AssertionError) -> str:
    cause = error.__cause__
    return f"{type(cause).__name__}: {cause}" if cause else ""


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
