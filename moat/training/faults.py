"""Values that end a run: non-finite losses and weights, misplaced weights.

To read a value from a GPU, the host waits for everything queued there. So a step returns its faults
as a tensor, and they are read for many steps at once. A step taken alone is read at once, before it
moves anything: its door has waited already.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import torch
from torch import Tensor, nn

from moat.errors import DefinitionError, NotFiniteError, TrainingError
from moat.objectives import LossMatrix, by_entry
from moat.training.finite import is_finite
from moat.types import Mask

_ALONE: ContextVar[bool] = ContextVar("a step taken alone", default=False)


@contextmanager
def taken_alone() -> Iterator[None]:
    """Read the faults of the step inside before it moves the parameters."""
    token = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(token)


def require_finite(losses: LossMatrix) -> None:
    """Raise NotFiniteError for a loss that is not finite, if the step is taken alone."""
    if _ALONE.get():
        sound = [False] * len(losses.names)
        faults = [loss_faults(losses).tolist(), sound, sound]
        try:
            require_faultless(faults, losses.names, hint=_UNMOVED)
        except TrainingError as error:
            raise NotFiniteError(error.message, hint=error.hint) from None


def loss_faults(losses: LossMatrix) -> Tensor:
    """Return which objectives have a measured loss that is not finite: bool, (objectives,)."""
    broken = ~losses.values.isfinite()
    if losses.measured is not None:
        broken &= by_entry(losses.measured, losses.values.shape[1])
    return broken.any(1)


def weight_faults(weights: Tensor, measured: Mask | None) -> Tensor:
    """Return which objectives have non-finite weights, or weights on unmeasured losses.

    Shapes: (objectives,) or (objectives, batch) to bool (2, objectives).
    """
    infinite = ~weights.isfinite()
    misplaced = torch.zeros_like(infinite)
    if measured is not None:
        if weights.ndim == 1:
            measured = by_entry(measured, 1).any(1)
        else:
            measured = by_entry(measured, weights.shape[1])
        misplaced = (weights != 0) & ~measured
    return torch.stack([infinite.view(len(weights), -1), misplaced.view(len(weights), -1)]).any(2)


def require_finite_gradients(model: nn.Module) -> None:
    """Raise NotFiniteError for a gradient that is not finite, if the step is taken alone."""
    for name, parameter in model.named_parameters() if _ALONE.get() else ():
        if parameter.grad is not None and not bool(is_finite(parameter.grad)):
            raise NotFiniteError(
                f"the gradient of the parameter {name.removeprefix('network.')} is not finite.",
                hint=_UNMOVED,
            )


_UNMOVED = (
    "The parameters did not move. Look for logits that are not finite, or lower the learning rate."
)


def require_faultless(
    faults: Sequence[Sequence[bool]], names: Sequence[str], where: str = "", hint: str = ""
) -> None:
    """Raise the error of a step's first fault; `faults` has a row for each kind, on the host.

    Raises TrainingError for a loss, DefinitionError for weights.
    """
    loss, infinite, misplaced = (
        next((name for name, broken in zip(names, row, strict=True) if broken), None)
        for row in faults
    )
    for name, fault in (
        (infinite, "are not finite"),
        (misplaced, "are not zero for unplanned losses"),
    ):
        # A loss that is not finite makes weights that are not.
        if name is not None and loss is None:
            raise DefinitionError(
                f"the scalarizer's weights {fault}: objective {name!r}.",
                where=where,
                hint="Plan every weighed objective, and return finite weights.",
            )
    if loss is not None:
        raise TrainingError(
            f"the loss of the objective {loss!r} is no longer finite.", where=where, hint=hint
        )


class UnreadFaults:
    """The faults of a run's steps, left on their device until they are read all at once."""

    def __init__(self, names: Sequence[str], run: Path) -> None:
        self._names, self._run = names, run
        self._steps: list[tuple[int, Tensor]] = []

    def add(self, step: int, faults: Tensor) -> None:
        """Add the faults of a step, bool (kinds, objectives)."""
        self._steps.append((step, faults))

    def require_none(self, hint: Callable[[], str]) -> None:
        """Read the faults since the last look; raise the error of the first, with a hint."""
        if not self._steps:
            return
        steps, faults = zip(*self._steps, strict=True)
        self._steps = []
        for step, rows in zip(steps, torch.stack(faults).tolist(), strict=True):
            require_faultless(rows, self._names, f"{self._run}, step {step}", hint())
