"""How a training step is taken, whatever it is taken on."""

from dataclasses import dataclass

import torch

from moat.errors import DefinitionError
from moat.losses import cross_entropy
from moat.passes import default_pass_size
from moat.public import public
from moat.threats import JointSearch, joint_search
from moat.threats.arguments import in_words, require_generator, require_pass_size
from moat.training.descent_loss import DescentLoss, require_scale
from moat.training.objective_losses import LossTable, require_losses
from moat.types import PerExample


@public
@dataclass(frozen=True, eq=False)
class StepSettings:
    """How a step is taken: what it needs beside its network and batch. All of it has a default.

    `pass_size` is the largest number of examples that one forward and backward take, by device
    where it is None: it changes speed and memory. `generator` draws random starts and what a
    scalarizer plans, torch's global one where it is None. `reach` is the share of their radius and
    step size that the threats have, for training that begins with small ones. `search` searches
    the threats of a step together, one after the other or as a captured graph.

    `loss` is what the parameters descend, a function of logits and labels to (batch,), or a table
    of them by objective, in which cross-entropy may be left out; a search climbs the loss that its
    threat names. `weight` (batch,) multiplies the loss of each example.
    `scale` multiplies the gradients: 1/n where n batches make a step, or a GradScaler's scale.

    Raises DefinitionError for a value that no step can be taken with.

    Example:
        >>> StepSettings(pass_size=512, reach=0.5).reach
        0.5
    """

    pass_size: int | None = None
    generator: torch.Generator | None = None
    reach: float = 1.0
    search: JointSearch = joint_search
    loss: DescentLoss | LossTable = cross_entropy
    weight: PerExample | None = None
    scale: float | torch.Tensor = 1.0

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
                hint="Leave it out, and every threat is searched in its whole ball.",
            )
        if not callable(self.search):
            raise DefinitionError(
                f"search is {in_words(self.search)}, and nothing that can be called.",
                hint="Leave it out, or take a function like moat.threats.joint_search.",
            )

    def passes_on(self, device: torch.device) -> int:
        """Return how many examples a pass takes there."""
        return default_pass_size(device) if self.pass_size is None else self.pass_size


WITH_DEFAULTS = StepSettings()
