"""The candidate of a check: a registered name, a class in a file or module, or a network."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from moat.catalogue import catalogue
from moat.environment import same_folder
from moat.errors import DefinitionError, UnknownNameError, did_you_mean
from moat.local_code import import_file
from moat.models.python import PYTHON_PREFIX, PythonModel
from moat.models.torchvision import TORCHVISION_PREFIX, torchvision_model
from moat.plugin_kit.fields import made_of, set_fields
from moat.plugin_kit.kinds import ExtensionKind, kind_of
from moat.plugin_kit.own_code import running_own_code
from moat.recipe.provenance import Source
from moat.registry import origin_of


@dataclass(frozen=True)
class Candidate:
    """An object that is checked: its kind, its name, where it comes from."""

    kind: ExtensionKind
    name: str
    origin: str
    value: Any


def candidate_of(
    reference: str, texts: Sequence[str] = (), kind: ExtensionKind | None = None
) -> Candidate:
    """Return the object that a reference names, with fields that are set by `key=value` each.

    A reference is a name that moat or a package registers, `FILE.py`, `FILE.py:Class`,
    `module:Class`, `torchvision:NAME` or `python:module:callable`. `kind` chooses where a name is
    of several kinds. Raises MoatError with the nearest name for any other.
    """
    with running_own_code(reference, "made"):
        return _found(reference, set_fields(texts), kind)


def _found(reference: str, settings: Source, kind: ExtensionKind | None) -> Candidate:
    found = _registered(reference, kind)
    if len(found) > 1:
        kinds = [one for one, _, _ in found]
        raise DefinitionError(
            f"{reference!r} is the name of a {' and of a '.join(one.words for one in kinds)}.",
            hint="Say which: " + " or ".join(f"--kind {one}" for one in kinds),
        )
    for own, origin, cls in found:
        return Candidate(own, reference, origin, made_of(cls, settings, reference))
    if reference.startswith(TORCHVISION_PREFIX):
        cls = torchvision_model(reference)
        return Candidate(
            ExtensionKind.model, reference, "torchvision", made_of(cls, settings, reference)
        )
    if reference.startswith(PYTHON_PREFIX):
        model = PythonModel(reference, settings.document)
        return Candidate(ExtensionKind.model, reference, reference.split(":")[1], model)
    _require_known_family(reference, kind)
    return _local(reference, settings, kind) or _refused(reference, kind)


def _registered(name: str, kind: ExtensionKind | None) -> list[tuple[ExtensionKind, str, Any]]:
    found = []
    for one in [kind] if kind else ExtensionKind:
        try:
            cls = one.registry.get(name)
        except UnknownNameError:
            continue
        offer = one.registry.offer_of(name)
        origin = offer.origin if offer else origin_of(cls)
        found.append((one, origin, cls))
    return found


def _require_known_family(reference: str, kind: ExtensionKind | None) -> None:
    """Raise UnknownNameError, as a recipe does, for a name of a family that a package offers.

    The module of the same name, where there is one, is not what the name means.
    """
    for one in [kind] if kind else ExtensionKind:
        if one.registry.offers_family(reference):
            one.registry.get(reference)


def _local(reference: str, settings: Source, kind: ExtensionKind | None) -> Candidate | None:
    """Return the object of a class in a file or a module, None where neither is named."""
    place, _, attribute = reference.partition(":")
    if place.endswith(".py"):
        module = _module_of(Path(place), reference)
    elif attribute and all(part.isidentifier() for part in place.split(".")):
        module = _imported(place, reference)
    else:
        return None
    found: Any = _member(module, attribute, reference, kind)
    name = reference if attribute else f"{reference}:{found.__name__}"
    own = kind_of(found) if isinstance(found, type) else None
    if own is None:  # a network's class, or a function that builds one
        model = PythonModel(f"{PYTHON_PREFIX}{module.__name__}:{attribute}", settings.document)
        return Candidate(ExtensionKind.model, name, str(module.__file__), model)
    return Candidate(own, name, str(module.__file__), made_of(found, settings, name))


def _member(module: ModuleType, attribute: str, reference: str, kind: ExtensionKind | None) -> Any:
    """Return the class that is meant, by its name in the code or in recipes."""
    own = {name: value for name, value in vars(module).items() if _is_declared(value, module, kind)}
    by_name: dict[str, Any] = {value.name: value for value in own.values()}
    if attribute:
        found = by_name.get(attribute, getattr(module, attribute, None))
        if callable(found):
            return found
        known = [*own, *by_name] or [name for name in vars(module) if name[0] != "_"]
        raise DefinitionError(
            f"{module.__name__} has no class {attribute!r}.{did_you_mean(attribute, known)}",
            where=reference,
            hint=f"It declares {', '.join(own) or 'none of its own'}.",
        )
    if len(own) == 1:
        return next(iter(own.values()))
    what = (
        f"declares {', '.join(own)}" if own else "declares no threat, scalarizer, model or data set"
    )
    raise DefinitionError(
        f"it {what}.",
        where=reference,
        hint=f"Name one: moat check {reference}:{next(iter(own), 'CLASS')}",
    )


def _is_declared(value: Any, module: ModuleType, kind: ExtensionKind | None) -> bool:
    """Say whether a module declares this class under a name of the kind, or of any."""
    if not (isinstance(value, type) and value.__module__ == module.__name__):
        return False
    own = kind_of(value)
    return own is not None and kind in (None, own) and bool(getattr(value, "name", ""))


def _module_of(path: Path, reference: str) -> ModuleType:
    """Run a file, as a module of its package where it lies in one, and return its module."""
    if not path.is_file():
        raise UnknownNameError(
            "the file does not exist.",
            where=str(path),
            hint="A path is read from the current folder. `moat check` lists names that are known.",
        )
    root, parts = path.resolve().parent, [path.stem]
    while (root / "__init__.py").is_file():
        root, parts = root.parent, [root.name, *parts]
    with _importable(root):
        if len(parts) == 1:
            for kind in ExtensionKind:
                kind.registry.adopt(())  # two files of two checks may share a name
            return import_file(path)
        return _imported(".".join(parts).removesuffix(".__init__"), reference)


def _imported(module: str, reference: str) -> ModuleType:
    try:
        with same_folder(), _importable(Path.cwd()):
            return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # whatever the module does when it runs
        raise DefinitionError(
            f"the module {module!r} cannot be imported: {type(error).__name__}: {error}",
            where=reference,
            hint="Install it, or run the command from the folder in which it lies.",
        ) from error


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _refused(name: str, kind: ExtensionKind | None) -> Candidate:
    """Raise UnknownNameError with the nearest name of the kind, or of all kinds."""
    kinds = [kind] if kind else list(ExtensionKind)
    known = [entry.name for one in kinds for entry in catalogue(one.registry.plural)]
    what = f"no {kind.words}" if kind else "no threat, scalarizer, model or data set"
    raise UnknownNameError(
        f"{what} is called {name!r}.{did_you_mean(name, known)}",
        hint="`moat check` lists the registered names. Name your own code by its file or module: "
        "FILE.py, FILE.py:Class, module:Class.",
    )
