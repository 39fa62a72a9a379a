"""The code of a recipe and its local modules: read, never run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from moat.consent import in_results, require_consent, short_list
from moat.kept_code import own_code
from moat.local_imports import Modules, dotted_name, imports_of, module_files, search_path
from moat.models.python import PYTHON_PREFIX
from moat.names import why_no_name
from moat.printable import folder_key, is_portable
from moat.recipe.provenance import Document, Source


@dataclass(frozen=True)
class Piece:
    """A plug-in file, or a callable that builds a model, and the local modules that it imports."""

    name: str
    file: Path | None  # of the plug-in, or of the callable's outermost package; None if installed
    modules: Modules

    @property
    def called(self) -> str:
        """Its description for the user: its name, its file, and the modules that run with it."""
        own = self.file and self.file.resolve()
        more = sorted(place for place, file in self.modules.items() if file.resolve() != own)
        callable_file = str(self.file) if self.file and self.name != str(self.file) else ""
        told = short_list([*([callable_file] if callable_file else []), *more], "files")
        return f"{self.name} ({told})" if told else self.name

    @property
    def digest(self) -> str:
        """The identity of its code, wherever it is; the name of an installed module."""
        plugin = {"": self.file} if self.file and self.name == str(self.file) else {}
        found = sha256(b"" if plugin else self.name.encode(errors="surrogateescape"))
        try:
            for place, file in sorted({**plugin, **self.modules}.items()):
                found.update(f"\n{place} {sha256(file.read_bytes()).hexdigest()}".encode())
        except OSError:
            return self.name  # importing it says why
        return found.hexdigest()


def pieces_of(document: Document, root: Path | None = None) -> list[Piece]:
    """Return the code that a recipe's document names.

    Modules in the folder `root` come first.
    """
    first = [root] if root else []
    plugins = [Path(path) for path in _listed(document.get("plugins")) if isinstance(path, str)]
    made = [_plugin(path, search_path(*first)) for path in plugins]
    return made + [_model(reference, search_path(*first)) for reference in references(document)]


def kept_files(document: Document, root: Path | None = None) -> tuple[list[str], Modules]:
    """Return the place of each plug-in in a run, and every file of a recipe's code by its place.

    A module's place is that of its import; a plug-in whose name is taken gets a number.
    """
    pieces = pieces_of(document, root)
    files: Modules = {}
    for piece in pieces:
        files |= piece.modules
    plugins = []
    for piece in pieces:
        if piece.file and piece.name == str(piece.file):
            place = _free_place(piece.file, files)
            files[place] = piece.file
            plugins.append(place)
    return plugins, files


def require_consent_to(plugins: Sequence[str], source: Source) -> None:
    """Raise MoatError unless all code named in a recipe may run; report it in one line."""
    root = source.code
    pieces = pieces_of({**source.document, "plugins": list(plugins)}, root)
    asked = {piece.digest: piece.called for piece in pieces}
    if root and in_results():
        asked |= {f"{file} {_digest(file)}": str(file) for file in _beside(pieces, root)}
    where = source.where("plugins") if plugins else source.where("model", "type")
    require_consent(asked, where)


def require_consent_to_model(
    reference: str, where: str, *, root: Path | None = None, typed: bool = False
) -> None:
    """Raise MoatError unless the callable that builds a model may run; others always may."""
    if reference.startswith(PYTHON_PREFIX):
        piece = _model(reference, search_path(*([root] if root else [])))
        require_consent({piece.digest: piece.called}, where, typed=typed)


def references(document: Document) -> Iterator[str]:
    """Yield every python:module:callable that a model's type is, or may become by a sweep."""
    named = [_at(document.get("model"), "type")]
    for variant in _listed(document.get("variant")):
        named += _listed(_at(_at(variant, "sweep"), "model.type"))
    for name in dict.fromkeys(name for name in named if isinstance(name, str)):
        if name.startswith(PYTHON_PREFIX):
            yield name


def _plugin(path: Path, folders: Sequence[Path]) -> Piece:
    modules = imports_of(path, [*folders, path.parent])
    return Piece(str(path), path, modules)


def _model(reference: str, folders: Sequence[Path]) -> Piece:
    name = reference.removeprefix(PYTHON_PREFIX).partition(":")[0]
    modules = module_files(name, folders)
    for place, file in list(modules.items()):
        modules |= imports_of(file, folders, dotted_name(place))
    top = name.partition(".")[0]
    outermost = modules.get(f"{top}/__init__.py") or modules.get(f"{top}.py")
    return Piece(reference, outermost and outermost.resolve(), modules)


def _free_place(file: Path, taken: Mapping[str, Path]) -> str:
    """Return the plug-in's place: its name, with a number where another file has that."""
    known = {folder_key(place): other for place, other in taken.items()}
    plain = is_portable(file.name) and not why_no_name(file.name)
    stem, number = file.stem if plain else "plugin", 1
    while True:
        place = f"{stem}{file.suffix}" if number == 1 else f"{stem}-{number}{file.suffix}"
        other = known.get(folder_key(place))
        if other is None or other.resolve() == file.resolve():
            return place
        number += 1


def _beside(pieces: Sequence[Piece], root: Path) -> list[Path]:
    """Return the files in a run's own code that no piece of it is known to import."""
    files = {file.resolve() for piece in pieces for file in piece.modules.values()}
    files |= {piece.file.resolve() for piece in pieces if piece.file}
    return [file for file in own_code(root).values() if file.resolve() not in files]


def _digest(file: Path) -> str:
    with suppress(OSError):
        return sha256(file.read_bytes()).hexdigest()
    return ""


def _at(table: object, key: str) -> Any:
    return table.get(key) if isinstance(table, Mapping) else None


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
