"""Where an evaluation may be written."""

from pathlib import Path

from moat.errors import RunFolderError
from moat.names import why_no_name


def require_within(folder: Path, results: Path) -> None:
    """Raise RunFolderError unless a run's folder lies below a results folder, links followed."""
    parts = folder.parts[len(results.parts) :]
    for part in parts:
        if why := why_no_name(part):
            raise RunFolderError(
                f"{part!r} cannot be a folder of results: {why}.",
                where=str(results),
                hint="Call the protocol's file by a shorter or simpler name.",
            )
    if not folder.resolve().is_relative_to(results.resolve()):
        raise RunFolderError(
            f"a link there leads outside: to {str(folder.resolve())!r}.",
            where=str(folder),
            hint="Name the folder that it leads to with --results, or delete the link.",
        )
