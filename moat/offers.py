"""The names that installed packages offer under an entry-point group, and the origin of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata

FAMILY = ":*"
"""The end of the name of an entry point that offers a family: `torchjd:*` for `torchjd:MGDA`."""
MEND = "Repair or uninstall that package; nothing else is affected."


@dataclass(frozen=True, eq=False)
class Offer:
    """One entry point of a package: a name, or a family of names with one prefix."""

    point: metadata.EntryPoint

    @property
    def name(self) -> str:
        """The name, or `prefix:*` of a family."""
        return self.point.name

    @property
    def is_family(self) -> bool:
        """Whether it leads to a function that returns the classes of a family."""
        return self.name.endswith(FAMILY)

    def covers(self, name: str) -> bool:
        """Say whether a name is the one that is offered, or of the family."""
        return name.startswith(self.name[:-1]) if self.is_family else name == self.name

    @property
    def origin(self) -> str:
        """The distribution with its version; the reference of an entry point without one."""
        dist = self.point.dist
        return f"{dist.name} {dist.version}" if dist else self.point.value

    @property
    def package(self) -> str:
        """The module that is imported first, without those below it."""
        return self.point.value.partition(":")[0].partition(".")[0]

    @property
    def requires(self) -> Sequence[str]:
        """The requirements of the distribution, as its metadata has them."""
        return (self.point.dist.requires if self.point.dist else None) or ()


def offers_of(group: str) -> tuple[Offer, ...]:
    """Return what every installed package offers under a group; nothing is imported."""
    found = map(Offer, metadata.entry_points(group=group))
    return tuple(sorted(found, key=lambda offer: (offer.name, offer.origin)))


def offers_for(name: str, offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Return the offers of a name: those of the name itself, and of its family.

    Example:
        >>> point = metadata.EntryPoint("torchjd:*", "moat_torchjd:scalarizers", "moat.scalarizers")
        >>> len(offers_for("torchjd:MGDA", [Offer(point)])), len(offers_for("mgda", [Offer(point)]))
        (1, 0)
    """
    return tuple(offer for offer in offers if offer.covers(name))


def family_of(name: str) -> str:
    """Return the name of the family that a name belongs to, whether there is such a family or not.

    Example:
        >>> family_of("torchjd:MGDA"), family_of("torchjd")
        ('torchjd:*', 'torchjd:*')
    """
    return name.partition(":")[0] + FAMILY


def clash_of(kind: str, name: str, offers: Sequence[Offer]) -> tuple[str, str]:
    """Return that several packages offer one name, and the mend."""
    origins = " and ".join(offer.origin for offer in offers)
    installed = [offer.point.dist.name for offer in offers if offer.point.dist]
    how = " or ".join(f"`pip uninstall {one}`" for one in installed[::-1])
    return (
        f"the {kind} {name!r} is offered by more than one package: {origins}.",
        f"Uninstall all but one{f': {how}' if how else ''}. No other name is affected.",
    )
