"""Weights for your own losses, without threats: multi-task learning."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, Protocol, TypeVar, cast, runtime_checkable

import torch
from torch import Tensor, nn

from moat.errors import DefinitionError
from moat.names import NATURAL
from moat.objectives import LossMatrix, by_entry
from moat.public import public
from moat.scalarizers.gradients import flat_gradient
from moat.types import Gramian, Mask

OwnLosses = Mapping[str, Tensor] | Sequence[Tensor] | Tensor
Method = TypeVar("Method", bound=Callable[..., Any])

SEEDS_TRIED = 8
"""Number of plans inspected for the natural loss: a drawn plan may omit it by chance."""


@runtime_checkable
class Weigher(Protocol):
    """The part of a scalarizer, of any of the three kinds, that losses of any origin need."""

    takes_names: ClassVar[bool]

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return which objectives to measure."""

    def weigh(self, losses: LossMatrix, gramian: Callable[[], Gramian]) -> Tensor:
        """Return the weights of these losses."""

    def update(self, losses: LossMatrix) -> None:
        """Learn from the losses of the step."""


def for_own_losses(weights: Method) -> Method:
    """Return a scalarizer's `weights`, extended to losses of any origin."""

    @wraps(weights)
    def behind(self: Any, *arguments: Any, **more: Any) -> Any:
        if _in_a_step(self, arguments, more):
            return weights(self, *arguments, **more)
        return weights_for(self, *arguments, **more)

    return cast(Method, behind)


@public
def weights_for(
    scalarizer: Weigher,
    losses: OwnLosses,
    parameters: nn.Module | Iterable[Tensor] | None = None,
) -> Tensor:
    """Return the weights of losses of any origin, and have the scalarizer learn from them.

    `scalarizer.weights(losses, parameters)` is the same. `losses` are a table by name, a list, or
    one tensor: a scalar each, of shape (k,) in all, or a number for each example, (k, batch). The
    result has the shape (k,), or (k, batch) of a scalarizer that weighs each example. Call it once
    a step, then differentiate `(weights * losses).sum()`.

    Scalarizers of gradients take the Gramian of the losses' gradients to `parameters`, a network or
    its tensors: those that the losses share. Others leave them unread. The loss called "natural"
    is the natural one. Where none is called so, a scalarizer that leaves the natural loss out
    weighs all of them, and to one that measures it the first is the natural loss.

    Raises DefinitionError for losses that are not finite, not of one shape, or without a gradient
    where one is needed.

    Example:
        >>> from moat.scalarizers import MGDA
        >>> shared = torch.tensor([1.0, 1.0], requires_grad=True)
        >>> near, far = (shared[0] - 2) ** 2, (shared[1] + 1) ** 2
        >>> MGDA().weights([near, far], [shared]).tolist()
        [0.800000011920929, 0.20000000298023224]
    """
    if not hasattr(scalarizer, "weigh"):
        raise DefinitionError(
            f"{type(scalarizer).__name__} is not one of the three kinds of scalarizer.",
            hint="Inherit from LaggedScalarizer, LossScalarizer or GradientScalarizer.",
        )
    names, rows = _rows(losses)
    values = torch.stack(rows)
    values = values if values.ndim == 2 else values[:, None]
    alone = NATURAL not in names and not _measures_natural(scalarizer, names)
    matrix = _planned(scalarizer, names, values.detach(), alone=alone)

    def gramian() -> Gramian:
        gradients = _gradients(dict(zip(names, rows, strict=True)), parameters)
        if alone:
            gradients = torch.cat([torch.zeros_like(gradients[:1]), gradients])
        return gradients @ gradients.T

    chosen = scalarizer.weigh(matrix, gramian)
    if len(chosen) != len(matrix.names):
        raise DefinitionError(
            f"the scalarizer has weighed {len(chosen) - alone} losses so far, not {len(names)}.",
            hint="Use a new scalarizer for other losses.",
        )
    if not bool(chosen.isfinite().all()):
        raise DefinitionError(
            f"the weights of {type(scalarizer).__name__} are not finite: {chosen.tolist()}.",
            hint="Its losses or gradients are too large or too small: scale them.",
        )
    scalarizer.update(matrix)
    chosen = chosen[1:] if alone else chosen
    if chosen.ndim == 2 and rows[0].ndim == 0:
        chosen = chosen[:, 0]
    in_order = [names.index(name) for name in _given_names(losses, names)]
    return chosen.detach().to(values)[in_order]


def _in_a_step(scalarizer: Any, arguments: tuple[Any, ...], more: Mapping[str, Any]) -> bool:
    """Say whether the arguments are those that the kind of scalarizer declares."""
    if not scalarizer.takes_names:
        return any(isinstance(one, LossMatrix) for one in (*arguments[-1:], more.get("losses")))
    (names,) = arguments or (more.get("names"),) if len(arguments) < 2 else (None,)
    return isinstance(names, tuple) and bool(names) and all(isinstance(n, str) for n in names)


def _given_names(losses: OwnLosses, names: Sequence[str]) -> list[str]:
    return list(losses) if isinstance(losses, Mapping) else list(names)


def _rows(losses: Any) -> tuple[tuple[str, ...], list[Tensor]]:
    """Return names and losses, the natural one first; refuse losses that cannot be weighted."""
    if isinstance(losses, LossMatrix):
        losses = dict(zip(losses.names, losses.values, strict=True))
    if isinstance(losses, Mapping):
        table = dict(sorted(losses.items(), key=lambda item: item[0] != NATURAL))
    elif isinstance(losses, list | tuple) or (isinstance(losses, Tensor) and losses.ndim):
        table = {f"loss {number}": one for number, one in enumerate(losses, 1)}
    else:
        what = "a single number" if isinstance(losses, Tensor) else f"of type {_type(losses)}"
        raise DefinitionError(
            f"losses are a table, a list or a tensor of several, not {what}.",
            hint="Pass the losses of a step: [loss_a, loss_b], each a scalar with its graph.",
        )
    if not table:
        raise DefinitionError("the losses are empty.", hint="Pass at least one.")
    for name, one in table.items():
        if not isinstance(one, Tensor) or not one.is_floating_point():
            given = one.dtype if isinstance(one, Tensor) else f"of type {_type(one)}"
            raise DefinitionError(
                f"{name!r} is {given}, not a loss.",
                hint="A loss is a float tensor, with its graph: do not call .item().",
            )
        if not bool(one.detach().isfinite().all()):
            raise DefinitionError(
                f"{name!r} is not finite.",
                hint="Leave the batch out, or look for a division by 0 or a learning rate that is "
                "too high.",
            )
    shapes = {tuple(one.shape) for one in table.values()}
    if len(shapes) > 1 or len(next(iter(shapes))) > 1 or 0 in next(iter(shapes)):
        listed = ", ".join(f"{name!r} {tuple(one.shape)}" for name, one in table.items())
        raise DefinitionError(
            f"losses are scalars, or all of one shape (batch,), not {listed}.",
            hint="Take the mean of each: loss.mean().",
        )
    if len({one.device for one in table.values()}) > 1:
        raise DefinitionError(
            "the losses lie on several devices.", hint="Move them to one: loss.to(device)."
        )
    return tuple(table), list(table.values())


def _measures_natural(scalarizer: Weigher, names: tuple[str, ...]) -> bool:
    """Say whether a scalarizer ever plans objective 0; a copy is asked, once."""
    known = getattr(scalarizer, "_natural_is_measured", None)
    if known is None:
        tried = copy.deepcopy(scalarizer)
        seeds = [torch.Generator().manual_seed(seed) for seed in range(SEEDS_TRIED)]
        plans = [tried.plan((NATURAL, *names), 1, generator) for generator in seeds]
        known = any(bool(plan[0].any()) for plan in plans)
        scalarizer._natural_is_measured = known  # type: ignore[attr-defined]
    return bool(known)


def _planned(
    scalarizer: Weigher, names: tuple[str, ...], values: Tensor, *, alone: bool
) -> LossMatrix:
    """Return the losses in the scalarizer's plan; `alone`, without the natural one before them."""
    if alone:
        names = (NATURAL, *names)
        values = torch.cat([torch.full_like(values[:1], float("nan")), values])
    plan = scalarizer.plan(names, values.shape[1]).to(values.device)
    if bool(plan.all()):
        return LossMatrix(values, names)
    left_out = ~by_entry(plan, values.shape[1])
    return LossMatrix(values.masked_fill(left_out, float("nan")), names, measured=plan)


def _gradients(losses: Mapping[str, Tensor], parameters: Any) -> Tensor:
    """Return the gradient of each loss's mean to the parameters, (k, number of parameters)."""
    given = parameters.parameters() if isinstance(parameters, nn.Module) else parameters
    given = [given] if isinstance(given, Tensor) else list(() if given is None else given)
    moved = [one for one in given if isinstance(one, Tensor) and one.requires_grad]
    if not moved:
        raise DefinitionError(
            "this scalarizer weighs gradients and needs parameters.",
            hint="Pass those that the losses share: scalarizer.weights(losses, "
            "net.parameters()). A generator is empty on a second reading.",
        )
    found = []
    for name, row in losses.items():
        gradient = flat_gradient(row.mean(), moved, more=True) if row.requires_grad else None
        if gradient is None:
            raise DefinitionError(
                f"{name!r} does not depend on the parameters.",
                hint="Compute it with them, outside of no_grad and without detach; pass only "
                "parameters that every loss shares.",
            )
        found.append(gradient)
    return torch.stack(found)


def _type(value: Any) -> str:
    return type(value).__name__
