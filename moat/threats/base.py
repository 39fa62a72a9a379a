"""The interface of a threat: a perturbation set, under a name for recipes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, TypeVar, dataclass_transform

import torch
from pydantic import Field
from torch import nn

from moat.public import public
from moat.registry import Registry
from moat.threats.foreign import FOREIGN_WORDS
from moat.threats.guard import guarded, is_guarded
from moat.types import Images, Labels


class Repetition(NamedTuple):
    """The reason why all searches of a threat are the same, and the setting that makes them differ.

    Example:
        >>> Repetition("every search starts at the image", "Set start = 'uniform'.").how
        'every search starts at the image'
    """

    how: str
    mend: str


class Threat(ABC):
    """A perturbation set, and the search for its worst member.

    A threat that is not a GradientThreat has a search of its own and one strength.

    Example:
        >>> class Noise(Threat):
        ...     def perturb(self, model, x, y, *, generator=None):
        ...         return (x + 0.1 * torch.randn(x.shape, generator=generator)).clamp(0, 1)
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> Noise().perturb(network, torch.rand(2, 1, 8, 8), torch.tensor([3, 7])).shape
        torch.Size([2, 1, 8, 8])
    """

    name: ClassVar[str]
    needs_channels: ClassVar[int | None] = None
    """The number of channels of its images, 3 for a change of hue, say; None for any."""
    climbs: ClassVar[bool] = True
    """Whether it looks for a higher loss; False for a fixed change, such as a corruption."""
    draws_by_batch: ClassVar[bool] = False
    """Whether what it draws for an example depends on the others in the batch."""
    typical: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Fields with which `moat check` makes one, where they are not set."""
    foreign_words: ClassVar[Mapping[str, str]] = FOREIGN_WORDS
    """Names of fields in other libraries' attacks, and moat's names for them."""
    given_later: ClassVar[str] = (
        "A threat does not hold a model: pass model, images and labels to each search, "
        "threat.perturb(model, x, y) or threat(model, x, y)."
    )

    def __init_subclass__(cls, **keys: Any) -> None:
        """Put the guard before `perturb`, a plug-in's included, wherever the class has it from."""
        super().__init_subclass__(**keys)
        if not (is_guarded(cls.perturb) or getattr(cls.perturb, "__isabstractmethod__", False)):
            cls.perturb = guarded(cls.perturb)  # type: ignore[method-assign]

    @public
    def __call__(
        self, model: nn.Module, x: Images, y: Labels, *, generator: torch.Generator | None = None
    ) -> Images:
        """Return what `perturb` returns."""
        return self.perturb(model, x, y, generator=generator)

    @property
    def radius(self) -> float | None:
        """The radius of its only ball, which a protocol may replace; None without such a ball.

        By default it is the field `epsilon`, if there is one.
        """
        epsilon = getattr(self, "epsilon", None)
        return epsilon if isinstance(epsilon, float) else None

    @property
    def repetition(self) -> "Repetition | None":
        """The reason why all of its searches are the same, whatever they draw; None if they differ.

        By default they differ.
        """
        return None

    @property
    def restarts_differ(self) -> bool:
        """Whether another search may find a misclassified image that the first has not."""
        return self.repetition is None

    @abstractmethod
    def perturb(
        self, model: nn.Module, x: Images, y: Labels, *, generator: torch.Generator | None = None
    ) -> Images:
        """Return detached images in [0, 1], of the shape of x, that the model finds hard.

        The model may be any module, in any mode, from images in [0, 1] to logits; its flags, its
        gradients and the global random state stay unchanged. Random draws come from `generator`, by
        default torch's global one.

        In every class `moat.threats.guard` stands before this method, so an implementation gets
        float images in [0, 1], int64 labels on their device, and a model that returns logits.
        Raises ModelError for other input. An empty batch, such as the result of a mask, comes back
        empty; a training step and an evaluation refuse it.
        """


registry: Registry[Threat] = Registry("threat", "moat.threats", Threat)  # type: ignore[type-abstract]

T = TypeVar("T", bound=type[Threat])


@public
@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def threat(name: str) -> Callable[[T], T]:
    """Declare a threat under a name that recipes use.

    The class becomes a frozen, keyword-only, validated dataclass: annotated fields are its recipe
    keys, and unknown ones are refused.

    Example:
        >>> @threat("darker")
        ... class Darker(Threat):
        ...     factor: float = 0.5  # of every pixel's intensity
        ...
        ...     def perturb(self, model, x, y, *, generator=None):
        ...         return self.factor * x
        >>> Darker(factor=0.8)
        Darker(factor=0.8)
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> Darker().perturb(network, torch.ones(1, 1, 8, 8), torch.tensor([3])).max()
        tensor(0.5000)
    """
    return lambda cls: registry.declare(name, cls, frozen=True)
