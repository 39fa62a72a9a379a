"""Paths in recipes."""

import os
from pathlib import Path

from moat.errors import RecipeError
from moat.names import MOST_BYTES
from moat.short_text import cut_short


def absolute(text: str, folder: Path, where: str, *, is_start: bool = False) -> str:
    """Return a path as an absolute one, relative to a folder, with `~` expanded to a home.

    `is_start` says that it leads to weights. Raises RecipeError for an empty or invalid path, and
    for an unknown home.
    """
    if not text.strip():
        raise RecipeError(
            f"should be a path, and {text!r} is empty.",
            where=where,
            hint="Leave the key out to begin with new weights."
            if is_start
            else 'Leave the key out, or write "." for the folder itself.',
        )
    try:
        path = (folder / expanded(text, where)).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links that lead back, a NUL
        raise RecipeError(f"{text!r} is not a path: {error}.", where=where) from error
    if any(len(os.fsencode(part)) > MOST_BYTES for part in path.parts):
        raise RecipeError(
            f"a part of the path has more than {MOST_BYTES} bytes: {cut_short(text)!r}.",
            where=where,
            hint="Shorten it: no usual file system has such a name.",
        )
    return str(path)


def expanded(text: str, where: str) -> Path:
    """Return a path with `~` expanded to a home; raise RecipeError for an unknown one."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise RecipeError(
            f"{text!r} is not a path: no such home folder is known.", where=where
        ) from error
