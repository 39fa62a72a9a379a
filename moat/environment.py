"""The process environment that user code may change: variables and the working folder."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def without(names: Collection[str], prefix: str | None = None) -> Iterator[None]:
    """Hide some variables, and all whose names begin with a prefix, while something is done."""
    hidden = {
        key: value
        for key, value in os.environ.items()
        if key in names or (prefix and key.startswith(prefix))
    }
    for key in hidden:
        del os.environ[key]
    try:
        yield
    finally:
        os.environ |= hidden


@contextmanager
def same_folder() -> Iterator[None]:
    """Come back to the working folder after a user's code: relative paths lie below it.

    Example:
        >>> before = os.getcwd()
        >>> with same_folder():
        ...     os.chdir("/")
        >>> os.getcwd() == before
        True
    """
    before = working_folder()
    try:
        yield
    finally:
        if before is not None and working_folder() != before:
            os.chdir(before)


def working_folder() -> str | None:
    """Return the working folder, None where it was deleted."""
    with suppress(OSError):
        return os.getcwd()
    return None
