"""What a folder loses to --overwrite, said before it is lost."""

from moat.events import Listener, Overwrite
from moat.runs import RunFolder, StudyFolder


def clear(folder: RunFolder, listener: Listener) -> None:
    """Delete what a run wrote into a folder; the caller holds its lock."""
    if written := folder.written():
        listener(Overwrite(folder=folder.path, what=", ".join(written)))
    folder.clear()


def make_way(folder: RunFolder | StudyFolder, listener: Listener) -> None:
    """Move aside what stands where moat's files or folders belong; nothing of it is deleted."""
    found = folder.obstacles()
    if found:
        names = [f"{path.name} ({what}, kept as it is)" for path, what in found.items()]
        listener(Overwrite(folder=folder.path, what=", ".join(names)))
        folder.make_way()
