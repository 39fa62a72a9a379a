"""What a model is: a network from images in [0, 1] to logits, and how it is built."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeVar, dataclass_transform

from pydantic import Field
from torch import nn

from moat.registry import Registry


class Model(ABC):
    """How a network is built. Its fields are recipe keys."""

    name: ClassVar[str]

    @abstractmethod
    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return the network for images of that (channel, height, width), in [0, 1], to logits.

        Normalisation is its first layer. Initial weights come from torch's global generator.
        """


registry: Registry[Model] = Registry("model", "moat.models", Model)  # type: ignore[type-abstract]

M = TypeVar("M", bound=type[Model])


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def model(name: str) -> Callable[[M], M]:
    """Declare a model under a name that recipes use: a frozen, validated dataclass."""
    return lambda cls: registry.declare(name, cls, frozen=True)
