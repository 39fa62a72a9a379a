"""The interface of a model: a network from images in [0, 1] to logits, and its construction."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, dataclass_transform

from pydantic import Field
from torch import nn

from moat.public import public
from moat.registry import Registry


class Model(ABC):
    """The construction of a network. Its fields are recipe keys.

    Example:
        >>> from moat.models import TinyCNN
        >>> TinyCNN(width=8).build((1, 8, 8), classes=10)(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """

    name: ClassVar[str]
    bears_channels_last: ClassVar[bool] = False
    """Whether its networks are known to work with their channels last in memory, which is faster.

    Others are tried before a run begins.
    """
    typical: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Fields with which `moat check` makes one, where they are not set."""
    weights_key: ClassVar[str] = "weights"
    """The recipe key that names what training begins with, where there is such a key."""

    @abstractmethod
    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return the network for images of that (channel, height, width), in [0, 1], to logits.

        Normalisation is its first layer. Initial weights come from torch's global generator.
        """

    def initialise(self, network: nn.Module) -> None:  # noqa: B027 - most have none
        """Load pretrained weights into a new network; by default, none.

        Called once, at the start of a run: the source of the weights may be gone later.
        """

    def identity(self) -> dict[str, Any]:
        """Return the identity of a training: the fields, with files by their content."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def digests(self) -> dict[str, str]:
        """Return keys with the digests of its files, for a run's own recipe; by default, none.

        A missing file, or one whose digest is among the fields, has none.
        """
        return {}


registry: Registry[Model] = Registry("model", "moat.models", Model)  # type: ignore[type-abstract]

M = TypeVar("M", bound=type[Model])


@public
@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def model(name: str) -> Callable[[M], M]:
    """Declare a model under a name that recipes use: a frozen, validated dataclass.

    Example:
        >>> @model("linear")
        ... class Linear(Model):
        ...     bias: bool = True
        ...
        ...     def build(self, shape, classes):
        ...         channel, height, width = shape
        ...         size = channel * height * width
        ...         return nn.Sequential(nn.Flatten(), nn.Linear(size, classes, bias=self.bias))
        >>> Linear(bias=False).build((1, 8, 8), classes=10)(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """
    return lambda cls: registry.declare(name, cls, frozen=True)
