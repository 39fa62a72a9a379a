"""The local modules that a Python file imports, read from its text without running it."""

import ast
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from moat.installed_code import is_installed
from moat.kept_code import strange_code

Modules = dict[str, Path]
"""Files by their places below a folder that they can be imported from: `package/module.py`."""


def search_path(*first: Path) -> list[Path]:
    """Return the folders where modules are looked for: some first, then Python's, then this one."""
    return [*first, *(Path(entry) for entry in sys.path if entry), Path.cwd()]


def module_files(name: str, folders: Sequence[Path]) -> Modules:
    """Return the local files that importing a dotted module runs: of its packages, then its own.

    None of an installed module, of Python's own, of a stranger's file in a run's code, and of what
    is not found.
    """
    found: Modules = {}
    parts = name.split(".")
    if parts[0] in (*sys.builtin_module_names, "moat"):
        return found
    strange = {file for folder in folders for file in strange_code(folder)}
    for depth, part in enumerate(parts, 1):
        file, folders = _step(part, folders, strange)
        if file is not None and is_installed(file):
            return {}
        if file is not None:
            inner = "/__init__.py" if folders else ".py"
            found["/".join(parts[:depth]) + inner] = file
        if not folders:
            break
    return found


def imports_of(file: Path, folders: Sequence[Path], module: str = "") -> Modules:
    """Return the local modules that a file imports, and all that these import.

    `module` is the file's own dotted name, for relative imports. A module that is named by a text
    alone, as in importlib.import_module, is not found.
    """
    found: Modules = {}
    left = [(file, module)]
    while left:
        one, called = left.pop()
        for name in _imported(one, called):
            for place, other in module_files(name, folders).items():
                if place not in found:
                    found[place] = other
                    left.append((other, dotted_name(place)))
    return found


def dotted_name(place: str) -> str:
    """Return the dotted name of a module by its place.

    Example:
        >>> dotted_name("nets/wide.py"), dotted_name("nets/__init__.py")
        ('nets.wide', 'nets.__init__')
    """
    return place.removesuffix(".py").replace("/", ".")


def _step(
    name: str, folders: Sequence[Path], strange: Collection[Path]
) -> tuple[Path | None, list[Path]]:
    """Return the file of a module in the first folder with one, and where its submodules lie."""
    spaces = []
    for folder in folders:
        package, module = folder / name, folder / f"{name}.py"
        with suppress(OSError):  # a name that no file system takes
            if (package / "__init__.py") not in strange and (package / "__init__.py").is_file():
                return package / "__init__.py", [package]
            if module not in strange and module.is_file():
                return module, []
            if package.is_dir():
                spaces.append(package)
    return None, spaces


def _imported(file: Path, module: str) -> Iterator[str]:
    """Yield the dotted names that a file imports, those of what may be submodules included."""
    tree = ast.Module(body=[], type_ignores=[])
    with suppress(OSError, SyntaxError, ValueError, RecursionError):  # running it says why
        tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            if node.level and not above:
                continue  # a relative import outside of a package
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
