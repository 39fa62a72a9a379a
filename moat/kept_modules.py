"""Modules from one folder, separate from all others of their names."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from moat.kept_code import own_code


class PlainLoader(SourceFileLoader):
    """Runs a source file as it stands: compiled code beside it is neither read nor written."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the source's code."""
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


class _Finder(MetaPathFinder):
    """Finds the source files below a folder that are a run's own, and nothing else in it."""

    def __init__(self, root: Path) -> None:
        self.root, self.files, self.spaces = root, dict[str, Path](), dict[str, Path]()
        for file in own_code(root).values():
            parts = file.relative_to(root).with_suffix("").parts
            parts = parts[:-1] if file.name == "__init__.py" else parts
            self.files[".".join(parts)] = file
            for depth in range(1, len(parts)):
                self.spaces[".".join(parts[:depth])] = root.joinpath(*parts[:depth])

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a module of the folder is loaded, None of others."""
        if file := self.files.get(fullname):
            below = [str(file.parent)] if file.name == "__init__.py" else None
            return spec_from_file_location(
                fullname,
                file,
                loader=PlainLoader(fullname, str(file)),
                submodule_search_locations=below,
            )
        if space := self.spaces.get(fullname):
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [str(space)]
            return spec
        return None

    @property
    def names(self) -> set[str]:
        """The dotted names of its modules."""
        return {*self.files, *self.spaces}


_imported: dict[Path, dict[str, ModuleType]] = {}
_within: list[Path] = []


@contextmanager
def modules_of(root: Path | None) -> Iterator[None]:
    """Let imports find the modules of a folder before all others; None changes nothing.

    Outside of this, the folder's modules stand in nobody's way: two folders may have modules of one
    name. What its code imports later, when it is called, is found there if it is nowhere else.
    """
    root = root and root.resolve()
    if root is None or root in _within[-1:]:
        yield
        return
    finder = _Finder(root)
    others = {name: sys.modules.pop(name) for name in finder.names if name in sys.modules}
    sys.modules.update(_imported.get(root, {}))
    sys.meta_path.insert(0, finder)
    _within.append(root)
    try:
        yield
    finally:
        _within.pop()
        own = {name: sys.modules.pop(name) for name in finder.names if name in sys.modules}
        _imported[root] = own
        sys.modules.update(others)
        sys.meta_path.remove(finder)
        if not _within:
            sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, _Finder)]
            sys.meta_path.append(finder)
