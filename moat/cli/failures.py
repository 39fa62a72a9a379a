"""The failed runs, as lines for the terminal."""

from collections.abc import Collection, Mapping
from pathlib import Path
from textwrap import indent

from moat.errors import MoatError
from moat.printable import printable


def failure_code(failed: Collection[MoatError], *, others: bool) -> int:
    """Return the exit code of a command some of whose runs failed.

    1 where others went on, for whatever reason these failed; else what the reasons are worth: 2
    says that nothing but bad input was named.

    Example:
        >>> [failure_code([MoatError("no")], others=others) for others in (True, False)]
        [1, 2]
    """
    return 1 if others else max(error.exit_code for error in failed)


def failure_lines(failed: Mapping[Path, MoatError], head: str = "failed") -> list[str]:
    """Return each failure once, after the folders of the runs that it ended."""
    ended: dict[tuple[str, bool], list[Path]] = {}
    for folder, error in failed.items():
        of_folder = error.where == str(folder)  # what it says, it may say of others, too
        said = type(error)(error.message, hint=error.hint) if of_folder else error
        key = printable(str(said), lines=True), of_folder
        ended.setdefault(key, []).append(folder)
    lines = []
    for (text, of_folder), folders in ended.items():
        if of_folder and len(folders) == 1:
            lines.append(f"{head}: {folders[0]}: {text}")
        elif text.startswith(str(folders[0])):  # it names its folder itself
            lines.append(f"{head}: {text}")
        else:
            lines += [*(f"{head}: {folder}" for folder in folders), indent(text, "  ")]
    return lines
