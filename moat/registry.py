"""Names for threats, scalarizers, models and data sets: moat's own, a package's, a local file's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as pydantic_dataclass

from moat.errors import DefinitionError, UnknownNameError, did_you_mean
from moat.fields import with_explained_fields
from moat.local_code import local_file
from moat.number_bounds import with_fit_numbers

T = TypeVar("T")
C = TypeVar("C", bound=type)


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One registered name: the class and where it came from, or why it could not be loaded."""

    name: str
    origin: str
    value: type[T] | None
    error: str = ""


def as_dataclass(cls: C, name: str, *, frozen: bool) -> C:
    """Make a class a validated, keyword-only dataclass of that name.

    Fields that are unknown, missing or wrong are refused with a FieldError.
    """
    with_fit_numbers(cls)
    config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
    made: Any = pydantic_dataclass(kw_only=True, frozen=frozen, eq=frozen, config=config)(cls)
    with_explained_fields(made)
    made.name = name
    return cast(C, made)


class Registry(Generic[T]):
    """The classes of one kind, by name.

    Packages add theirs under the entry-point group; they are imported when a name is first asked
    for, and one that fails to import is a row with its error and harms no other.
    """

    def __init__(self, kind: str, group: str, base: type[T]) -> None:
        self.kind, self.group, self.base = kind, group, base
        self._entries: dict[str, Entry[T]] = {}
        self._local: dict[str, dict[str, Entry[T]]] = {}  # of each local file, by its path
        self._packages_read = False

    @property
    def plural(self) -> str:
        """What `moat list` calls them: the last part of the entry-point group."""
        return self.group.rpartition(".")[2]

    def declare(self, name: str, cls: C, *, frozen: bool) -> C:
        """Make the class a validated, keyword-only dataclass and register it under the name."""
        if not issubclass(cls, self.base):
            raise DefinitionError(
                f"{cls.__name__} is declared as the {self.kind} {name!r} but is not a "
                f"{self.base.__name__}.",
                where=cls.__module__,
                hint=f"Let the class inherit from {self.base.__module__}.{self.base.__name__}.",
            )
        made: Any = as_dataclass(cls, name, frozen=frozen)
        file = local_file(cls)
        entry: Entry[T] = Entry(name, str(file or cls.__module__.partition(".")[0]), made)
        self._add(entry)
        if file is not None:
            self._local.setdefault(entry.origin, {})[name] = entry
        return cast(C, made)

    def get(self, name: str) -> type[T]:
        """Return the class of that name; raise UnknownNameError with the nearest one."""
        if name not in self._entries:
            self._read_packages()
        entry = self._entries.get(name)
        if entry is None:
            raise UnknownNameError(
                f"no {self.kind} is called {name!r}.{did_you_mean(name, self._entries)}",
                hint=f"known: {self._listing()}\nA package adds one under the entry-point group "
                f"{self.group!r}; `moat list {self.plural}` shows each with its origin.",
            )
        if entry.value is None:
            raise DefinitionError(
                f"the {self.kind} {name!r} of {entry.origin} could not be imported: {entry.error}",
                hint="Repair or uninstall that package; nothing else is affected.",
            )
        return entry.value

    def adopt(self, files: Iterable[Path]) -> None:
        """Know the names that these local files declared, and those of no other local file.

        So two recipes in one process may each have a file that declares a name. Raises
        DefinitionError where two of these files share one.
        """
        known = {n: entry for n, entry in self._entries.items() if entry.origin not in self._local}
        self._entries = known
        for file in files:
            for entry in self._local.get(str(file), {}).values():
                self._add(entry)

    def entries(self) -> list[Entry[T]]:
        """Return every entry, the broken ones included, by name."""
        self._read_packages()
        return [self._entries[name] for name in sorted(self._entries)]

    def __iter__(self) -> Iterator[type[T]]:
        return (entry.value for entry in self.entries() if entry.value is not None)

    def _add(self, entry: Entry[T]) -> None:
        known = self._entries.get(entry.name)
        if known and known.value is not None and known.origin != entry.origin:
            raise DefinitionError(
                f"the {self.kind} {entry.name!r} is declared twice: by {known.origin} and by "
                f"{entry.origin}.",
                hint="Give one of them another name.",
            )
        self._entries[entry.name] = entry

    def _read_packages(self) -> None:
        if self._packages_read:
            return
        self._packages_read = True
        for point in metadata.entry_points(group=self.group):
            origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            try:
                value = point.load()
                if not (isinstance(value, type) and issubclass(value, self.base)):
                    raise TypeError(f"{point.value} is not a {self.base.__name__}")
                if getattr(value, "name", None) != point.name:
                    declared = getattr(value, "name", value)
                    raise TypeError(f"{point.value} is declared as {declared!r}")
                self._entries[point.name] = Entry(point.name, origin, value)
            except (Exception, SystemExit) as error:  # one broken package must not break the others
                why = f"{type(error).__name__}: {error}"
                taken = point.name in self._entries
                name = f"{point.name} ({origin})" if taken else point.name
                self._entries[name] = Entry(name, origin, None, why)

    def _listing(self) -> str:
        origins: dict[str, list[str]] = {}
        for name in sorted(self._entries):
            origins.setdefault(self._entries[name].origin, []).append(name)
        return "; ".join(f"{', '.join(names)} ({origin})" for origin, names in origins.items())
