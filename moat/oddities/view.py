"""An oddity, and the view of a recipe's runs in which oddities are found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from moat.evaluation import Protocol
from moat.recipe import Recipe, RunPlan, Source
from moat.threats import Threat


@dataclass(frozen=True)
class Oddity:
    """A valid but rarely intended setting of a recipe.

    Example:
        >>> print(Oddity("r.toml, training.warmup", "10 epochs of 2.", "Lower it."))
        r.toml, training.warmup: 10 epochs of 2. Lower it.
    """

    where: str  # the file and the key
    what: str  # sentences, as the mend
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.mend}"


@dataclass(frozen=True)
class Amounts:
    """The numbers of a run's images and classes, known once its data set was read."""

    trained: int
    held_out: int
    tested: int  # in the whole test split
    shape: tuple[int, int, int]  # channel, height, width
    classes: int


@dataclass(frozen=True)
class SearchedSet:
    """A threat as a table of the recipe states it for one purpose, "train" or "evaluate"."""

    source: Source
    label: str
    purpose: str
    threat: Threat
    shape: tuple[int, int, int] | None  # of an image, where it is known
    largest: float = 1.0  # radius that is searched, in radii of the threat

    def where(self, key: str) -> str:
        """Return the file and the key that stated a field, in the purpose's table or above."""
        own = ("threats", self.label, self.purpose, key)
        return self.source.where(*(own if own in self.source.said_in else (*own[:2], key)))


@dataclass(frozen=True)
class StudyView:
    """The runs of a recipe, or a protocol alone; unknown parts are left out.

    `amounts` are of the runs whose data were read, by the folders of the runs.
    """

    source: Source
    plans: Sequence[RunPlan] = ()
    stated: Protocol | None = None  # of a protocol's file, which has no runs
    amounts: Mapping[Path, Amounts] = field(default_factory=dict)
    device: str = ""  # "cpu" or "cuda"
    seconds: float | None = None  # of all runs together

    @cached_property
    def recipe(self) -> Recipe | None:
        """The tables of the recipe; None of a protocol's file."""
        return Recipe.model_validate(self.source.document) if self.plans else None

    def searched(self) -> Iterator[SearchedSet]:
        """Yield each threat that is trained against or evaluated, in every version there is."""
        seen: set[str] = set()
        for one in self._every_threat():
            version = f"{one.label} {one.purpose} {one.threat!r} {one.largest} {one.shape}"
            if version not in seen:
                seen.add(version)
                yield one

    def protocols(self) -> Iterator[tuple[Source, Protocol, Amounts | None]]:
        """Yield every protocol of the evaluations, with the source that states it."""
        if self.stated is not None:
            yield self.source, self.stated, next(iter(self.amounts.values()), None)
        seen: set[str] = set()
        for plan in self.plans:
            known = self.amounts.get(plan.path)
            if (version := f"{plan.protocol!r} {known}") not in seen:
                seen.add(version)
                yield plan.source, plan.protocol, known

    def where(self, plan: RunPlan, *key: str) -> str:
        """Return the file that stated a key of a run's variant, and the key."""
        names = [variant.name for variant in self.recipe.variant] if self.recipe else []
        return plan.source.where("variant", names.index(plan.variant), *key)

    def _every_threat(self) -> Iterator[SearchedSet]:
        for plan in self.plans:
            known = self.amounts.get(plan.path)
            shape = known.shape if known else None
            for label, threat in plan.threats.items():
                yield SearchedSet(plan.source, label, "train", threat, shape)
        for source, protocol, known in self.protocols():
            shape = known.shape if known else None
            largest = protocol.largest_reach()
            for label, threat in protocol.threats.items():
                yield SearchedSet(source, label, "evaluate", threat, shape, largest[label])
