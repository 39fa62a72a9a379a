"""The settings of a training step, independent of its input."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from moat.errors import DefinitionError
from moat.losses import cross_entropy
from moat.passes import default_pass_size
from moat.public import public
from moat.threats import JointSearch, joint_search
from moat.threats.arguments import in_words, require_generator, require_pass_size
from moat.training.descent_loss import DescentLoss, require_scale
from moat.training.objective_losses import LossTable, require_losses
from moat.types import Images, Labels, PerExample


@public
@dataclass(frozen=True, eq=False)
class StepSettings:
    """The settings of a step beside its network and batch, each with a default.

    `pass_size` is the largest number of examples in one forward and backward (default: by device):
    it changes speed and memory. `generator` draws random starts and the scalarizer's plan (default:
    torch's global one). `reach` is the share of the threats' radius and step size, for a training
    that begins with small ones. `search` searches the threats of a step together, one after the
    other or as a captured graph.

    `loss` is the loss of the parameters, a function of logits and labels to (batch,), or a table of
    these by objective (default: cross-entropy); a search climbs the loss of its threat. `weight`
    (batch,) multiplies the loss of each example. `scale` multiplies the gradients: 1/n if n batches
    make a step, or a GradScaler's scale. `observe` gets the searched images of the step
    (`Examples`), its natural images and its labels, before any parameter moves.

    Raises DefinitionError for an invalid value.

    Example:
        >>> StepSettings(pass_size=512, reach=0.5).reach
        0.5
    """

    given_also: ClassVar[str] = (
        "Or call moat.training.Step(model, optimizer, threats, scalarizer, pass_size=..., "
        "generator=..., losses=...) once, and step(x, y) for each batch.\n"
    )

    pass_size: int | None = None
    generator: torch.Generator | None = None
    reach: float = 1.0
    search: JointSearch = joint_search
    loss: DescentLoss | LossTable = cross_entropy
    weight: PerExample | None = None
    scale: float | torch.Tensor = 1.0
    observe: Callable[[Any, Images, Labels], None] | None = None

    def __post_init__(self) -> None:
        """Look at each value where it is written."""
        require_pass_size(self.pass_size)
        require_generator(self.generator)
        require_losses(self.loss)
        require_scale(self.scale)
        number = isinstance(self.reach, int | float) and not isinstance(self.reach, bool)
        if not (number and 0 < self.reach <= 1):
            raise DefinitionError(
                f"reach is a share of the threats' radius, above 0 and at most 1, not "
                f"{self.reach!r}.",
                hint="Leave it out to search every threat in its whole ball.",
            )
        if not callable(self.search):
            raise DefinitionError(
                f"search is {in_words(self.search)}, not a function.",
                hint="Leave it out, or pass a function like moat.threats.joint_search.",
            )
        if self.observe is not None and not callable(self.observe):
            raise DefinitionError(
                f"observe is {in_words(self.observe)}, not a function.",
                hint="Leave it out, or pass a function of (examples, x, y).",
            )

    def passes_on(self, device: torch.device) -> int:
        """Return the number of examples in a pass on a device."""
        return default_pass_size(device) if self.pass_size is None else self.pass_size


WITH_DEFAULTS = StepSettings()
