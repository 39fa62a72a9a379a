"""Registered names: a class with its origin, and what an entry point leads to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from moat.offers import FAMILY, MEND, Offer, family_of

T = TypeVar("T")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One registered name: the class and where it came from, or why there is none and the mend."""

    name: str
    origin: str
    value: type[T] | None
    error: str = ""
    mend: str = ""


def entries_of(offer: Offer, base: type[T]) -> list[Entry[T]]:
    """Import what a package offers; return its classes, or one entry that says why there are none.

    Each must be a subclass of `base` and declared under a name that is offered.
    """
    try:
        value: Any = offer.point.load()
        found = [*value()] if offer.is_family else [value]
        return [_entry(cls, offer, base) for cls in found]
    except (Exception, SystemExit) as error:  # one broken package must not break the others
        why = f"{type(error).__name__}: {error}"
        return [Entry(offer.name, offer.origin, None, why, MEND)]


def _entry(value: Any, offer: Offer, base: type[T]) -> Entry[T]:
    what = offer.point.value
    if not (isinstance(value, type) and issubclass(value, base)):
        raise TypeError(
            f"{what}{f' returns {value!r}, which' * offer.is_family} is not a {base.__name__}"
        )
    declared = getattr(value, "name", None)
    if not (isinstance(declared, str) and offer.covers(declared)):
        named = value if declared is None else repr(declared)
        raise TypeError(
            f"{what} returns a class declared as {named}, which does not begin with "
            f"{offer.name.removesuffix(FAMILY)!r} and a colon"
            if offer.is_family
            else f"{what} is declared as {named}"
        )
    return Entry(declared, offer.origin, value)


def is_of(entry: Entry[Any], offers: Iterable[Offer]) -> bool:
    """Say whether an entry is of one of these packages, by its entry point or by an import."""
    return any(entry.origin in (offer.origin, offer.package) for offer in offers)


def names_by_origin(origins: Mapping[str, str], family: str) -> str:
    """Return names by origin in one line; a family's members are listed for one family alone.

    Example:
        >>> names = {"pgd": "mine", "zoo:*": "zoo 1", "zoo:a": "zoo 1", "zoo:b": "zoo 1"}
        >>> names_by_origin(names, "flow:*"), names_by_origin(names, "zoo:*")
        ('pgd (mine); zoo:* (zoo 1)', 'pgd (mine); zoo:a, zoo:b (zoo 1)')
    """
    shown: dict[str, list[str]] = {}
    for name in sorted(origins):
        own = family_of(name)
        is_open = own == family
        if name == own and is_open and any(family_of(other) == own != other for other in origins):
            continue  # its members follow
        listed = name if is_open or own not in origins else own
        names = shown.setdefault(origins[name], [])
        if listed not in names:
            names.append(listed)
    return "; ".join(f"{', '.join(names)} ({origin})" for origin, names in shown.items())
