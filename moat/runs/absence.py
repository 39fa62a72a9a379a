"""A path that is not a results folder: its kind, and the nearest folder."""

from contextlib import suppress
from pathlib import Path

from moat.errors import MoatError, did_you_mean
from moat.own_files import PLANNED, RUN_FILES
from moat.paths import require_path

_USUAL = Path("results")
_MARKS = ("run.json", "model.safetensors")
_TRAIN = "`moat train RECIPE` trains runs; name the folder they were written to."


def require_results(path: Path, kind: type[MoatError], hint: str = _TRAIN) -> None:
    """Raise an error of this kind unless a path is a folder.

    The error gives the kind of the path, such as a recipe, and the nearest folder.
    """
    if _is_folder(require_path(path, kind)):
        return
    is_own = _is_own_file(path)
    if path.suffix.lower() == ".toml" and not is_own:
        what = "this is a recipe" if _is_file(path) else "this recipe does not exist"
        raise kind(f"{what}; a results folder is needed.", str(path), _results_of(path))
    if _is_file(path):
        mend = f"Name its folder: {path.parent}" if is_own else hint
        raise kind("this is a file; a results folder is needed.", str(path), mend)
    raise kind(f"the folder does not exist.{_nearest(path)}", where=str(path), hint=hint)


def require_folder_of(file: Path, kind: type[MoatError]) -> None:
    """Raise an error of this kind unless the folder of a new file exists.

    A folder for several files is made; that of a single file may be a slip.
    """
    folder = require_path(file, kind).parent
    if not _is_folder(folder):
        raise kind(
            f"the folder {str(folder)!r} for it does not exist.",
            where=str(file),
            hint="Nothing was written. Make the folder first, or name a file in an existing one.",
        )


def _is_own_file(path: Path) -> bool:
    """Say whether a file is one that moat writes to the folder of a run or a study.

    A user's recipe may have the name of a run's own.
    """
    own = path.name in {*RUN_FILES, PLANNED}
    return own and _is_file(path) and (path.suffix != ".toml" or _is_run(path.parent))


def _is_run(folder: Path) -> bool:
    return any(_is_file(folder / name) for name in _MARKS)


def _results_of(recipe: Path) -> str:
    found = _USUAL / recipe.stem
    if _is_folder(found):
        return f"Its results lie in {found}: name that folder."
    return (
        f"`moat train {recipe}` writes its results to {found}, or below the folder of --results: "
        "name that folder."
    )


def _nearest(path: Path) -> str:
    """Return which folder may be meant: one below `results`, or one of nearly the same name."""
    usual = _USUAL / path
    if not path.is_absolute() and _is_folder(usual):
        return f" Did you mean {str(usual)!r}?"
    if _is_run(path.parent):
        return f" Did you mean {str(path.parent)!r}?"
    known: list[str] = []
    for above in dict.fromkeys((path.parent, _USUAL)):
        with suppress(OSError, ValueError):
            near = [one for one in above.iterdir() if one.is_dir() or one.suffix == ".zip"]
            known += [str(one) for one in near if did_you_mean(path.name, [one.name])]
    return did_you_mean(str(path), sorted(known))


def _is_folder(path: Path) -> bool:
    with suppress(OSError, ValueError):
        return path.is_dir()
    return False


def _is_file(path: Path) -> bool:
    with suppress(OSError, ValueError):
        return path.is_file()
    return False
