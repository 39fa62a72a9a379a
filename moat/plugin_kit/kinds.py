"""The four kinds of plug-ins: what each is called, its registry and its base class."""

from enum import StrEnum
from typing import Any

from moat import data, models, scalarizers, threats
from moat.registry import Registry


class Kind(StrEnum):
    """What a plug-in may add."""

    threat = "threat"
    scalarizer = "scalarizer"
    model = "model"
    dataset = "dataset"

    @property
    def registry(self) -> Registry[Any]:
        """Where the names of this kind are."""
        return _REGISTRIES[self]

    @property
    def words(self) -> str:
        """What it is called in a sentence."""
        return self.registry.kind


_REGISTRIES: dict[Kind, Registry[Any]] = {
    Kind.threat: threats.registry,
    Kind.scalarizer: scalarizers.registry,
    Kind.model: models.registry,
    Kind.dataset: data.registry,
}


def kind_of(cls: type) -> Kind | None:
    """Return the kind that a class belongs to, None of any other class."""
    return next((kind for kind in Kind if issubclass(cls, kind.registry.base)), None)
