"""The names for a recipe, read from source files: no import, no plug-in runs."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec, resolve_name
from pathlib import Path

from moat.offers import clash_of, offers_of
from moat.other_moats import DISTRIBUTION

_DECORATORS = {
    "threats": "threat",
    "scalarizers": "scalarizer",
    "models": "model",
    "datasets": "dataset",
}
_SINGULAR = {**_DECORATORS, "datasets": "data set"}
ROOMS = {"datasets": "data"}
_DEEPEST = 8  # modules through which a class is handed on


@dataclass(frozen=True)
class CatalogueEntry:
    """A name, where it comes from, and the first line of its description or why it has none."""

    name: str
    origin: str
    about: str = ""
    error: str = ""


def catalogue(kind: str) -> list[CatalogueEntry]:
    """Return what moat and the installed packages register under a kind, by name.

    `kind` is threats, scalarizers, models or datasets. What a package declares is looked up as its
    entry point says, and described by the docstring of its class, or of the function that returns a
    family (`prefix:*`); an error says what is missing there, or which packages offer one name.
    """
    listed = {own.name: own for own in _own(kind)}
    own, offers = {*listed}, offers_of(f"moat.{kind}")
    for offer in offers:
        rivals = [one for one in offers if one.name == offer.name]
        is_taken = offer.name in own or len(rivals) > 1
        name = f"{offer.name} ({offer.origin})" if is_taken else offer.name
        try:
            about = _about(_declared_at(offer.point.module, offer.point.attr))
            error = ""
        except (LookupError, OSError, SyntaxError, ValueError) as found:
            about, error = "", f"{type(found).__name__}: {found}"
        if len(rivals) > 1:
            about, error = "", clash_of(_SINGULAR[kind], offer.name, rivals)[0]
        listed[name] = CatalogueEntry(name, offer.origin, about, error)
    return [listed[name] for name in sorted(listed)]


def _own(kind: str) -> Iterator[CatalogueEntry]:
    for file in sorted((Path(__file__).parent / ROOMS.get(kind, kind)).glob("*.py")):
        for statement in _tree(file).body:
            if isinstance(statement, ast.ClassDef):
                for name in _declared_names(statement, _DECORATORS[kind]):
                    yield CatalogueEntry(name, DISTRIBUTION, _about(statement))


def _declared_names(declared: ast.ClassDef, by: str) -> Iterator[str]:
    for call in declared.decorator_list:
        match call:
            case ast.Call(func=ast.Name(id=called), args=[ast.Constant(value=str(name)), *_]):
                if called == by:
                    yield name


def _declared_at(module: str, attribute: str, depth: int = 0) -> ast.ClassDef | ast.FunctionDef:
    """Return the class or function of that name in a module, or where it is imported from."""
    file, is_package = _home(module)
    for statement in reversed(_tree(file).body):
        match statement:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) if name == attribute:
                return statement
            case ast.ImportFrom(module=source, names=names, level=level) if depth < _DEEPEST:
                for alias in names:
                    if (alias.asname or alias.name) == attribute:
                        package = module if is_package else module.rpartition(".")[0]
                        target = "." * level + (source or "")
                        home = resolve_name(target, package) if level else target
                        return _declared_at(home, alias.name, depth + 1)
    raise LookupError(f"{module} declares no class {attribute}")


def _home(module: str) -> tuple[Path, bool]:
    """Return a module's file and whether it is a package's, by looking for it alone."""
    top, *parts = module.split(".")
    spec, name = find_spec(top), top
    for part in parts:
        name = f"{name}.{part}"
        within = spec.submodule_search_locations if spec else None
        spec = PathFinder.find_spec(name, within) if within is not None else None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        raise LookupError(f"no module {module}")
    return Path(spec.origin), spec.submodule_search_locations is not None


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes(), str(file))


def _about(declared: ast.ClassDef | ast.FunctionDef) -> str:
    return (ast.get_docstring(declared) or "").partition("\n")[0]
