"""The four kinds of plug-ins: what each is called, its registry and its base class."""

from enum import StrEnum
from typing import Any

from moat import data, models, scalarizers, threats
from moat.registry import Registry


class ExtensionKind(StrEnum):
    """The kinds of extensions of a plug-in."""

    threat = "threat"
    scalarizer = "scalarizer"
    model = "model"
    dataset = "dataset"

    @property
    def registry(self) -> Registry[Any]:
        """The registry of the names of this kind."""
        return _REGISTRIES[self]

    @property
    def words(self) -> str:
        """The name of the kind in a sentence."""
        return self.registry.kind


_REGISTRIES: dict[ExtensionKind, Registry[Any]] = {
    ExtensionKind.threat: threats.registry,
    ExtensionKind.scalarizer: scalarizers.registry,
    ExtensionKind.model: models.registry,
    ExtensionKind.dataset: data.registry,
}


def kind_of(cls: type) -> ExtensionKind | None:
    """Return the kind that a class belongs to, None of any other class."""
    return next((kind for kind in ExtensionKind if issubclass(cls, kind.registry.base)), None)
