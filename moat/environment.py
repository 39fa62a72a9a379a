"""Variables of the environment that libraries read, and that are not meant for moat."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager


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
