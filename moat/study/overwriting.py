"""The losses of a folder to --overwrite, listed in advance."""

from moat.events import Listener, Overwrite
from moat.runs import RunFolder, StudyFolder

_NAMED = 10  # files of a user's, and the others are counted


def clear(folder: RunFolder, listener: Listener) -> None:
    """Delete a run's files in a folder, and report those that stay; the caller holds its lock."""
    if written := folder.written():
        what = ", ".join(written)
        if others := folder.others():
            more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
            what += f"; not moat's, kept as it is: {', '.join(others[:_NAMED])}{more}"
        listener(Overwrite(folder=folder.path, what=what))
    folder.clear()


def make_way(folder: RunFolder | StudyFolder, listener: Listener) -> None:
    """Move aside anything in the place of moat's files or folders; nothing is deleted."""
    found = folder.obstacles()
    if found:
        names = [f"{path.name} ({what}, kept as it is)" for path, what in found.items()]
        listener(Overwrite(folder=folder.path, what=", ".join(names)))
        folder.make_way()
