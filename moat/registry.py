"""Names of threats, scalarizers, models and data sets: moat's, a package's or a local file's."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as pydantic_dataclass

from moat.entries import Entry, entries_of, is_of, names_by_origin
from moat.errors import DefinitionError, UnknownNameError, did_you_mean
from moat.fields import with_explained_fields
from moat.local_code import local_file
from moat.number_bounds import with_fit_numbers
from moat.offers import FAMILY, MEND, Offer, clash_of, family_of, offers_for, offers_of
from moat.other_moats import DISTRIBUTION

T = TypeVar("T")
C = TypeVar("C", bound=type)
OWN_ORIGIN = DISTRIBUTION
"""The origin of moat's own names."""


def origin_of(cls: type) -> str:
    """Return the package that declares a class: moat's distribution, or the outermost module."""
    package = cls.__module__.partition(".")[0]
    return OWN_ORIGIN if package == "moat" else package


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

    Packages add theirs under the entry-point group: a class under its name, or under `prefix:*` a
    function that returns the classes of the names `prefix:...`. A package is imported at the first
    use of one of its names. One that fails to import has an entry with its error, and so has a name
    that two packages offer; neither affects another name.
    """

    def __init__(self, kind: str, group: str, base: type[T]) -> None:
        self.kind, self.group, self.base = kind, group, base
        self._entries: dict[str, Entry[T]] = {}
        self._local: dict[str, dict[str, Entry[T]]] = {}  # of each local file, by its path
        self._loaded: dict[Offer, list[Entry[T]]] = {}

    @property
    def plural(self) -> str:
        """Their name in `moat list`: the last part of the entry-point group."""
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
        entry: Entry[T] = Entry(name, str(file or origin_of(cls)), made)
        self._add(entry)
        if file is not None:
            self._local.setdefault(entry.origin, {})[name] = entry
        return cast(C, made)

    def get(self, name: str) -> type[T]:
        """Return the class of that name.

        Raises UnknownNameError with the nearest name, and DefinitionError if the package that
        offers it cannot be imported or if several offer it.
        """
        entry = self._entries.get(name)
        if entry is None or entry.origin != OWN_ORIGIN:
            entry = self._offered(name, entry)
        if entry is None:
            raise self._unknown(name)
        if entry.value is None:
            raise DefinitionError(
                f"the {self.kind} {name!r} of {entry.origin} could not be imported: {entry.error}",
                hint=entry.mend,
            )
        return entry.value

    def offer_of(self, name: str) -> Offer | None:
        """Return the package's offer behind a name, None for moat's and a local file's."""
        entry, offers = self._entries.get(name), offers_for(name, self._offers)
        if len(offers) != 1 or entry is None or not is_of(entry, offers):
            return None
        return offers[0]

    def offers_family(self, name: str) -> bool:
        """Say whether a package offers the family that a name, as `prefix:NAME`, belongs to."""
        return ":" in name and any(one.name == family_of(name) for one in self._offers)

    def adopt(self, files: Iterable[Path]) -> None:
        """Make known the names that these local files declared, and no other local file's.

        So two recipes in one process may each have a file that declares the same name. Raises
        DefinitionError if two of these files share one.
        """
        known = {n: entry for n, entry in self._entries.items() if entry.origin not in self._local}
        self._entries = known
        for file in files:
            for entry in self._local.get(str(file), {}).values():
                self._add(entry)

    def entries(self) -> list[Entry[T]]:
        """Return every entry by name, and packages' unusable offers, each with its error."""
        clashes: set[str] = set()
        rows: list[Entry[T]] = []
        for offer in self._offers:
            known, row = self._entries.get(offer.name), f"{offer.name} ({offer.origin})"
            rivals = [one for one in self._offers if one.name == offer.name]
            if known is not None and not is_of(known, rivals):
                rows.append(self._refused(row, offer, known))
            elif len(rivals) > 1:
                error, mend = clash_of(self.kind, offer.name, rivals)
                rows.append(Entry(row, offer.origin, None, error, mend))
                clashes.add(offer.name)
            else:
                self._take(offer)
        sound = [entry for entry in self._entries.values() if entry.name not in clashes]
        return sorted([*sound, *rows], key=lambda entry: entry.name)

    def __iter__(self) -> Iterator[type[T]]:
        return (entry.value for entry in self.entries() if entry.value is not None)

    @cached_property
    def _offers(self) -> tuple[Offer, ...]:
        return offers_of(self.group)

    def _add(self, entry: Entry[T]) -> None:
        known = self._entries.get(entry.name)
        if known and known.value is not None and known.origin != entry.origin:
            rivals = offers_for(entry.name, self._offers)
            if len(rivals) > 1 and is_of(known, rivals) and is_of(entry, rivals):
                return  # two packages were imported for other names: `get` refuses this one
            raise self._twice(known, entry)
        self._entries[entry.name] = entry

    def _twice(self, one: Entry[T], other: Entry[T]) -> DefinitionError:
        return DefinitionError(
            f"the {self.kind} {other.name!r} is declared twice: by {one.origin} and by "
            f"{other.origin}.",
            hint="Give one of them another name.",
        )

    def _offered(self, name: str, known: Entry[T] | None) -> Entry[T] | None:
        """Return the entry of a name that a package may offer; raise DefinitionError if two do."""
        offers = offers_for(name, self._offers)
        if known is not None and not is_of(known, offers):
            if offers and known.origin in self._local:
                raise self._twice(Entry(name, offers[0].origin, None), known)
            return known
        if len(offers) > 1:
            message, mend = clash_of(self.kind, name, offers)
            raise DefinitionError(message, hint=mend)
        for offer in offers:
            self._take(offer)
            known = self._entries.get(name) or self._entries.get(offer.name)
        return known

    def _take(self, offer: Offer) -> None:
        """Import what a package offers, once; a later declaration of the name stands."""
        if offer not in self._loaded:
            self._loaded[offer] = entries_of(offer, self.base)
            self._entries |= {entry.name: entry for entry in self._loaded[offer]}

    def _refused(self, row: str, offer: Offer, known: Entry[T]) -> Entry[T]:
        """Return the row of a package that offers a name which is taken."""
        if offer not in self._loaded:
            self._loaded[offer] = entries_of(offer, self.base)
        twice = f"DefinitionError: {self._twice(known, self._loaded[offer][0]).message}"
        return Entry(row, offer.origin, None, self._loaded[offer][0].error or twice, MEND)

    def _unknown(self, name: str) -> UnknownNameError:
        """Return the error of a name that nobody declares or offers: the nearest, and all."""
        for offer in offers_for(family_of(name), self._offers):
            self._take(offer)
        origins = {offer.name: offer.origin for offer in self._offers}
        origins |= {entry.name: entry.origin for entry in self._entries.values()}
        known = names_by_origin(origins, family_of(name))
        single = [one for one in origins if not one.endswith(FAMILY)]
        return UnknownNameError(
            f"no {self.kind} is called {name!r}.{did_you_mean(name, single)}",
            hint=f"known: {known}\nA package adds one under the entry-point group "
            f"{self.group!r}; `moat list {self.plural}` shows each with its origin.",
        )
