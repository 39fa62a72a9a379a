"""Consent to a user's code: given by naming it, and printed before the code runs.

Code comes with a study in two ways: `plugins` are local Python files, and `python:module:callable`
is a model of the user's own. A person who names a recipe, a protocol or a model on the command line
asks for the code in it. Nobody asks for the code that a results folder names: it may be somebody
else's folder.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from moat.errors import CodeError, RecipeError

_MOST = 5  # pieces of code or files that a line names


def _silent(line: str) -> None:
    """Say nothing: a library prints no line that nobody asked for."""


@dataclass(frozen=True)
class Consent:
    """The code that may run: named by a person, and named by results folders.

    `say` hears a line before code runs that has not run before. `given` is the code that was
    allowed so far, by its digest: a results folder may hold the very code that a person named.
    """

    named: bool = True
    stored: bool = False
    say: Callable[[str], None] = _silent
    given: set[str] = field(default_factory=set)


_consent = ContextVar("consent", default=Consent())  # noqa: B039 - its set is what a process knows
_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


@contextmanager
def consenting(consent: Consent) -> Iterator[None]:
    """Let code run by this consent."""
    token = _consent.set(consent)
    try:
        yield
    finally:
        _consent.reset(token)


@contextmanager
def stored_in(folder: Path) -> Iterator[None]:
    """Take what is named within for the words of a results folder, not of a person."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def current_consent() -> Consent:
    """Return the consent by which code runs here."""
    return _consent.get()


def in_results() -> bool:
    """Say whether what is named here is the words of a results folder: see `stored_in`."""
    return _folder.get() is not None


def short_list(names: Sequence[str], what: str) -> str:
    """Return the first names of a list, and how many more there are.

    Example:
        >>> short_list(["a.py", "b.py"], "files"), short_list(list("abcdefgh"), "letters")
        ('a.py, b.py', 'a, b, c, d, e and 3 more letters')
    """
    more = len(names) - _MOST
    named = ", ".join(names[:_MOST] if more > 1 else names)
    return f"{named} and {more} more {what}" if more > 1 else named


def require_consent(pieces: Mapping[str, str], where: str, *, typed: bool = False) -> None:
    """Raise an error unless this code may run: the digest of each piece, and what to call it.

    Of code that a person typed by its own name nothing is said. RecipeError refuses the code of a
    recipe, CodeError that of a results folder.
    """
    consent, folder = _consent.get(), _folder.get()
    new = {piece: called for piece, called in pieces.items() if piece not in consent.given}
    if not new:
        return
    listed = short_list(list(new.values()), "pieces of code")
    if folder is not None and not consent.named:
        raise CodeError(
            f"the recipe in this results folder names code, which --no-code refuses to run: "
            f"{listed}.",
            where=str(folder),
            hint="Its model needs this code. To read its stored scores: moat score "
            f"{shlex.quote(str(folder))}",
        )
    if folder is not None and not consent.stored:
        raise CodeError(
            f"the recipe in this results folder names code, which does not run unasked: {listed}.",
            where=str(folder),
            hint="Read the code first. Then --allow-code runs it (in Python: allow_code=True of "
            "moat.load, or moat.consent).",
        )
    if not consent.named:
        raise RecipeError(
            f"it names code, which --no-code refuses to run: {listed}.",
            where=where,
            hint="Leave out --no-code to run it.",
        )
    consent.given.update(new)
    if not typed:
        consent.say(f"runs code: {listed}")
