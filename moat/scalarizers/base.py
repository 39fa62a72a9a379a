"""The interface of a scalarizer: losses in, the weights of one descent direction out.

The life cycle of a scalarizer is `plan → weights → step → update → state_dict`. There are three
kinds, by the input from which a scalarizer chooses its weights; the kind decides the cost of a
training step.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, dataclass_transform

import torch
from pydantic import Field
from torch import Tensor

from moat.objectives import LossMatrix
from moat.public import public
from moat.registry import Registry
from moat.scalarizers.own_losses import for_own_losses
from moat.types import Gramian, Mask, Weights

EVERY_OBJECTIVE = 2**31 - 1
"""The `support` of a scalarizer that gives each objective a share."""


class Scalarizer(ABC):
    """A rule that turns a vector of losses into weights, which are detached and finite.

    `simplex` says whether the weights are never negative and sum to 1. A subclass of one of the
    three kinds is declared with `@scalarizer("name")`. It defines `weights` and, where needed,
    `plan`, `update` and the state.

    Example:
        >>> from moat.scalarizers import Average
        >>> Average().plan(("natural", "pgd", "rt"), batch=4)  # what a step searches and measures
        tensor([False,  True,  True])
    """

    name: ClassVar[str]
    simplex: bool = True
    scale_invariant: bool = False
    """Whether the weights stay as they are when all losses and gradients are multiplied alike."""
    permutes: bool = True
    """Whether the weights follow the threats into another order; a rule that draws does not."""
    typical: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Fields with which `moat check` makes one, where they are not set."""
    needs_positive_losses: bool = False
    """Whether it divides by losses or takes their logarithm."""
    takes_names: ClassVar[bool] = False
    """Whether `weights` is asked with the names of the losses, and not with the losses."""

    def __init_subclass__(cls, **keys: Any) -> None:
        """Let the `weights` of every class, a plug-in's included, take losses of any origin."""
        super().__init_subclass__(**keys)
        own: Any = vars(cls).get("weights")
        if callable(own) and not getattr(own, "__isabstractmethod__", False):
            cls.weights = for_own_losses(own)  # type: ignore[attr-defined]

    def require_objectives(self, names: tuple[str, ...]) -> None:  # noqa: B027 - most take any
        """Raise DefinitionError where a field does not fit the objectives of these names."""

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return which objectives to search and measure, (objectives,) or (objectives, batch).

        `names` starts with "natural". An objective outside the plan costs no pass. Default: all.
        """
        return torch.ones(len(names), dtype=torch.bool, device="cpu")

    def expected_plan(self, names: tuple[str, ...]) -> Tensor:
        """Return each objective's planned share of a batch, (objectives,), for estimates.

        Default: the result of `plan`. A scalarizer that draws its plan returns the expectation.
        """
        plan = self.plan(names, 2, torch.Generator().manual_seed(0))
        return plan.double() if plan.ndim == 1 else plan.any(1).double()

    def update(self, losses: LossMatrix) -> None:  # noqa: B027 - most have nothing to do
        """Learn from the step's losses, after the parameters moved."""

    def log(self) -> dict[str, Any]:
        """Return the last update's entries for the log, as plain numbers."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a resumed run needs, as tensors and plain values."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:  # noqa: B027
        """Restore a state from `state_dict`."""


class LaggedScalarizer(Scalarizer):
    """A scalarizer whose weights exist before the step: losses are measured and descended at once.

    Example:
        >>> class Half(LaggedScalarizer):
        ...     def weights(self, names):
        ...         return torch.full((len(names),), 1 / len(names))
        >>> Half().weights(("natural", "pgd"))
        tensor([0.5000, 0.5000])
    """

    takes_names: ClassVar[bool] = True

    @abstractmethod
    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return the weights (objectives,) of the coming step."""

    def weigh(self, losses: LossMatrix, gramian: Callable[[], Gramian]) -> Tensor:
        """Return the weights of these losses; no Gramian is made."""
        return self.weights(losses.names)


class LossScalarizer(Scalarizer):
    """A scalarizer that chooses weights from the batch's losses, first measured without a graph.

    `support` is the largest number of objectives with a weight above zero for one example, or
    EVERY_OBJECTIVE. If it is None, the step reads the weights, for which the host waits for a GPU.

    Example:
        >>> class Softmax(LossScalarizer):
        ...     def weights(self, losses):
        ...         return torch.softmax(losses.means(), dim=0)
        >>> Softmax().weights(LossMatrix(torch.zeros(2, 3), ("natural", "pgd")))
        tensor([0.5000, 0.5000])
    """

    support: int | None = None

    @abstractmethod
    def weights(self, losses: LossMatrix) -> Tensor:
        """Return the weights, (objectives,) or, for each example, (objectives, batch)."""

    def weigh(self, losses: LossMatrix, gramian: Callable[[], Gramian]) -> Tensor:
        """Return the weights of these losses; no Gramian is made."""
        return self.weights(losses)


class GradientScalarizer(Scalarizer):
    """A scalarizer that chooses weights from the batch's gradients, one for each objective.

    Example:
        >>> class Inverse(GradientScalarizer):
        ...     def weights(self, gramian, losses):
        ...         lengths = gramian.diagonal().sqrt()  # (objectives,)
        ...         return (1 / lengths) / (1 / lengths).sum()
        >>> gramian = torch.diag(torch.tensor([1.0, 9.0]))  # orthogonal gradients of length 1 and 3
        >>> Inverse().weights(gramian, LossMatrix(torch.ones(2, 1), ("natural", "pgd")))
        tensor([0.7500, 0.2500])
    """

    @abstractmethod
    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return the weights (objectives,) by which the gradients are combined."""

    def weigh(self, losses: LossMatrix, gramian: Callable[[], Gramian]) -> Tensor:
        """Return the weights of these losses and of the Gramian of their gradients."""
        return self.weights(gramian(), losses)


registry: Registry[Scalarizer] = Registry("scalarizer", "moat.scalarizers", Scalarizer)

S = TypeVar("S", bound=type[Scalarizer])


@public
@dataclass_transform(kw_only_default=True, field_specifiers=(Field,))
def scalarizer(name: str) -> Callable[[S], S]:
    """Declare a scalarizer under a name that recipes use.

    The class becomes a validated dataclass: annotated fields are its recipe keys, unknown ones are
    refused. State that changes in training is set in `__post_init__`, without annotation.

    Example:
        >>> @scalarizer("first")
        ... class First(LaggedScalarizer):
        ...     share: float = 0.5  # of the natural loss
        ...
        ...     def weights(self, names):
        ...         others = (1 - self.share) / (len(names) - 1)
        ...         return torch.tensor([self.share] + [others] * (len(names) - 1))
        >>> First(share=0.6).weights(("natural", "pgd", "rt"))
        tensor([0.6000, 0.2000, 0.2000])
    """
    return lambda cls: registry.declare(name, cls, frozen=False)


def unsolved_share(unsolved: Tensor | int, steps: int) -> dict[str, float]:
    """Return for the log the share of steps in which a solver found no weights, unless it is 0."""
    count = int(unsolved)
    return {"unsolved_share": count / steps} if count else {}
