"""The user's own code: local plug-in files, and python:module:callable."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from moat.digests import digest_of_parts
from moat.environment import same_folder
from moat.errors import RecipeError, did_you_mean
from moat.kept_modules import PlainLoader, modules_of

_LOCAL = "moat_local_"  # the modules of local files, in sys.modules


def local_file(cls: type) -> Path | None:
    """Return the local plug-in file that declares a class, None for a package's."""
    module = sys.modules.get(cls.__module__)
    local = cls.__module__.startswith(_LOCAL) and module is not None and module.__file__
    return Path(local) if local else None


def import_file(path: Path, root: Path | None = None) -> ModuleType:
    """Run a local Python file once, so that what it declares is registered; return its module.

    Modules of the folder `root` are imported before all others. Raises RecipeError where the file
    is missing or does not run.
    """
    path = path.resolve()
    name = _LOCAL + digest_of_parts([os.fsencode(path)])
    if name in sys.modules:
        return sys.modules[name]
    loader = PlainLoader(name, str(path)) if path.suffix == ".py" else None
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if not _is_file(path) or spec is None or spec.loader is None:
        raise RecipeError(
            f"the plug-in file {str(path)!r} does not exist or is not a Python file.",
            hint="Plug-in paths are read from the folder of the recipe that names them.",
        )
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        with same_folder(), modules_of(root):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise RecipeError(
            f"the plug-in file {str(path)!r} failed: {type(error).__name__}: {error}"
        ) from error
    return module


def file_of(reference: str, root: Path | None = None) -> Path | None:
    """Return the file of the module in 'python:module:callable', None where there is none.

    Here as in `import_object`, modules of the folder `root` are found before all others.
    """
    _make_current_folder_importable()
    try:
        with same_folder(), modules_of(root):
            spec = importlib.util.find_spec(reference.split(":")[1])
    except (ImportError, ValueError, IndexError):
        return None  # importing it says why
    return Path(spec.origin) if spec and spec.origin and Path(spec.origin).is_file() else None


def import_object(reference: str, root: Path | None = None) -> Callable[..., object]:
    """Return what 'python:module:attribute' names; the current folder counts as importable.

    Raises RecipeError where the module or the attribute is missing.
    """
    _, _, path = reference.partition(":")
    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise RecipeError(f"{reference!r} does not have the form 'python:module:callable'.")
    _make_current_folder_importable()
    try:
        with same_folder(), modules_of(root):
            module = importlib.import_module(module_name)
    except Exception as error:  # whatever the module does when it runs
        raise RecipeError(
            f"{reference!r} names the module {module_name!r}, which cannot be imported: "
            f"{type(error).__name__}: {error}",
            hint="Install it, or run the command from the folder in which the module stands.",
        ) from error
    found: Callable[..., object] | None = getattr(module, attribute, None)
    if found is None:
        raise RecipeError(
            f"{reference!r}: the module {module_name!r} has no {attribute!r}."
            f"{did_you_mean(attribute, vars(module))}"
        )
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file system takes
        return False


def _make_current_folder_importable() -> None:
    # At the end: a file there must not stand in for an installed package that is imported later.
    if "" not in sys.path:
        sys.path.append("")
