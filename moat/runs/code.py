"""The code that a run keeps: Python files below a folder of its own, and nothing else there."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from moat.storage import disk, make_folder, replace, require_no_link, sweep

CODE = "code"
"""The folder in a run's own."""


def code_files(run: Path) -> dict[str, Path]:
    """Return the files of code that a run keeps, by their places below its `code`."""
    root = run / CODE
    files = sorted(path for path in root.rglob("*.py") if path.is_file())
    return {path.relative_to(root).as_posix(): path for path in files}


def write_code(run: Path, files: Mapping[str, bytes]) -> None:
    """Keep these files of code, and no others; one that is there already is left alone."""
    before = code_files(run)
    for place, content in files.items():
        path = run / CODE / place
        if place not in before or path.is_symlink() or path.read_bytes() != content:
            make_folder(path.parent)
            sweep(path.parent, [path.name])
            replace(path, content)
    _delete({place: path for place, path in before.items() if place not in files}, run / CODE)


def clear_code(run: Path) -> None:
    """Delete the files of code that a run keeps; what else lies there is the user's."""
    _delete(code_files(run), run / CODE)


def require_no_linked_code(run: Path) -> None:
    """Raise RunFolderError where the folder of code, or one in it, is a link."""
    require_no_link(run / CODE)
    for path in (run / CODE).rglob("*"):
        if path.is_dir():
            require_no_link(path)


def _delete(files: Mapping[str, Path], root: Path) -> None:
    with disk(root):
        for path in files.values():
            path.unlink(missing_ok=True)
    folders = {above for path in files.values() for above in path.parents}
    for folder in sorted((one for one in folders if one.is_relative_to(root)), reverse=True):
        with suppress(OSError):  # what else lies there is the user's
            folder.rmdir()
