"""The code of a run: Python files in a folder of its own, each listed."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from moat.kept_code import CODE, CODE_LIST, code_digests, own_code
from moat.paths import require_path
from moat.runs.obstacles import set_aside
from moat.storage import (
    disk,
    hash_of,
    make_folder,
    replace,
    require_no_link,
    sweep,
    to_json,
)


def code_files(run: Path) -> dict[str, Path]:
    """Return the files of code that a run keeps, by their places below its `code`.

    A file that neither its record nor its list names is a user's.
    """
    return own_code(require_path(run / CODE))


def write_code(run: Path, files: Mapping[str, bytes]) -> list[str]:
    """Keep only these files of code; return the files that were moved out of their way.

    Files that moat did not write, or that were changed since, stay, if need be under another name
    beside the original. An identical file is left alone.
    """
    root = run / CODE
    if not files and not root.exists():
        return []
    before, own = _listed(root), untouched_code(run)
    new = {place: [hash_of(content)] for place, content in files.items()}
    moved = set_aside(_in_the_way(root, new, own))
    stale = {place: path for place, path in own.items() if place not in files}
    make_folder(root)
    sweep(root, [CODE_LIST])
    # First, so that a command that is killed in between leaves no file that nobody wrote.
    both = {place: [*before.get(place, []), *new.get(place, [])] for place in {**before, **new}}
    _write_list(root, {place: sorted(set(digests)) for place, digests in both.items()})
    for place, content in files.items():
        path = root / place
        if not path.is_file() or path.read_bytes() != content:
            make_folder(path.parent)
            sweep(path.parent, [path.name])
            replace(path, content)
    _delete(stale, root)
    _write_list(root, new)
    return moved


def clear_code(run: Path) -> None:
    """Delete the files of code that the run wrote; other files are the user's."""
    root = run / CODE
    _delete(untouched_code(run), root)
    with disk(root):
        (root / CODE_LIST).unlink(missing_ok=True)
    with suppress(OSError):
        root.rmdir()


def others_in_code(run: Path) -> list[str]:
    """Return the places of files in a run's code folder that moat did not write as they are."""
    root = run / CODE
    own = {*untouched_code(run).values(), root / CODE_LIST}
    others = sorted(path for path in root.rglob("*") if not path.is_dir() and path not in own)
    return [path.relative_to(run).as_posix() for path in others if "__pycache__" not in path.parts]


def untouched_code(run: Path) -> dict[str, Path]:
    """Return the files of code that moat wrote, by digest, each by its place."""
    root = run / CODE
    known = code_digests(root) or {}
    with disk(root):
        return {
            place: path
            for place, path in own_code(root).items()
            if not path.is_symlink() and hash_of(path.read_bytes()) in known.get(place, ())
        }


def require_no_linked_code(run: Path) -> None:
    """Raise RunFolderError if the folder of code, or one in it, is a link."""
    require_no_link(run / CODE)
    for path in (run / CODE).rglob("*"):
        if path.is_dir():
            require_no_link(path)


def _listed(root: Path) -> dict[str, list[str]]:
    return {place: sorted(digests) for place, digests in (code_digests(root) or {}).items()}


def _in_the_way(
    root: Path, new: Mapping[str, list[str]], own: Mapping[str, Path]
) -> Iterable[Path]:
    """Return what of a user's stands where these files belong, each once."""
    found: dict[Path, None] = {}
    for place, digests in new.items():
        path = root / place
        between = [one for one in path.parents if one.is_relative_to(root) and one != root]
        found |= {one: None for one in between if one.is_symlink() or one.is_file()}
        if place not in own and (path.is_symlink() or path.exists()) and not _is(path, digests):
            found[path] = None
    return found


def _is(path: Path, digests: list[str]) -> bool:
    """Say whether a file is there as it is to be."""
    with disk(path):
        return path.is_file() and not path.is_symlink() and hash_of(path.read_bytes()) in digests


def _write_list(root: Path, files: Mapping[str, list[str]]) -> None:
    """Write the list; an empty one says that all files there are a user's, if there are any."""
    path = root / CODE_LIST
    content = to_json({"format": 1, "files": dict(sorted(files.items()))})
    with disk(path):
        if not files and not any(one != path for one in root.iterdir()):
            path.unlink(missing_ok=True)
            root.rmdir()
        elif not path.is_file() or path.read_bytes() != content:
            replace(path, content)


def _delete(files: Mapping[str, Path], root: Path) -> None:
    with disk(root):
        for path in files.values():
            path.unlink(missing_ok=True)
    folders = {above for path in files.values() for above in path.parents}
    for folder in sorted((one for one in folders if one.is_relative_to(root)), reverse=True):
        with suppress(OSError):  # what else lies there is the user's
            folder.rmdir()
