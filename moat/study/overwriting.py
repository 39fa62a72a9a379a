"""What a folder loses to --overwrite, said before it is lost."""

from moat.runs import RunFolder, StudyFolder
from moat.study.listener import StudyListener


def clear(folder: RunFolder, listener: StudyListener) -> None:
    """Delete what a run wrote into a folder; the caller holds its lock."""
    if written := folder.written():
        listener.overwriting(folder.path, ", ".join(written))
    folder.clear()


def make_way(folder: RunFolder | StudyFolder, listener: StudyListener) -> None:
    """Move aside what stands where moat's files or folders belong; nothing of it is deleted."""
    found = folder.obstacles()
    if found:
        names = [f"{path.name} ({what}, kept as it is)" for path, what in found.items()]
        listener.overwriting(folder.path, ", ".join(names))
        folder.make_way()
