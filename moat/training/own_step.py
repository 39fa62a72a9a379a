"""A training step for a loop of your own: whole, or in halves with the gradients between."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from moat.errors import DefinitionError, MoatError
from moat.losses import cross_entropy
from moat.names import NATURAL
from moat.objectives import LossMatrix, side_by_side
from moat.public import public
from moat.scalarizers import Scalarizer, scalarizer_for
from moat.threats import Threat, bare, is_trusted, threat_table
from moat.threats.cautions import warn_of_wide_radii
from moat.training.arguments import require_arguments
from moat.training.descent import Descent
from moat.training.descent_loss import DescentLoss, named_loss
from moat.training.faults import require_finite_gradients, taken_alone
from moat.training.guard import require_parameters
from moat.training.memory import memory_explained
from moat.training.moving import call_after_steps, move
from moat.training.step import step_gradients
from moat.training.step_settings import StepSettings
from moat.types import Images, Labels, PerExample


@public
class Step:
    """The body of Algorithm 1, for a loop of your own.

    `step(x, y)` searches the threats, moves the parameters along the gradient of Σ weights ·
    losses, and has the scalarizer learn. Its halves are `backward`, which adds to the gradients,
    and `update`, or the optimizer's own `step`: whichever moves the parameters has the scalarizer
    learn, once, from all batches since the last time.

    `threats` are a table by name, a list or a single one; `scalarizer` is an object or a name. The
    parameters descend `losses`, a function of logits (batch, classes) and labels (batch,) to
    (batch,), or "cross-entropy", "margin" or "dlr"; a search climbs the loss that its threat names.
    A pass holds `pass_size` examples, by default what suits the device. `generator` draws random
    starts and what a scalarizer plans, torch's global one where it is None.

    Raises DefinitionError and ModelError for what no step can be taken with.

    Example:
        >>> from moat.threats import PGD
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        >>> step = Step(net, optimizer, PGD(epsilon=0.1, step_size=0.05, steps=2), "average")
        >>> x, y = torch.rand(16, 1, 8, 8), torch.arange(16) % 10
        >>> seen = step(x, y)
        >>> seen.losses.names, seen.mean_weights().tolist()
        (('natural', 'pgd'), [0.0, 1.0])

    Source: Sun, Li and Lin, Pareto Adversarial Robustness, 2023, Algorithm 1.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        threats: Mapping[str, Threat] | Sequence[Threat] | Threat,
        scalarizer: Scalarizer | str,
        *,
        losses: DescentLoss | str = cross_entropy,
        pass_size: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        self.model, self.optimizer = model, optimizer
        self.threats, self.scalarizer = threat_table(threats), scalarizer_for(scalarizer)
        loss = named_loss(losses) if isinstance(losses, str) else losses
        self._settings = StepSettings(pass_size=pass_size, generator=generator, loss=loss)
        require_arguments(optimizer, self.threats, self.scalarizer)
        require_parameters(model, self.scalarizer, optimizer)
        warn_of_wide_radii(self.threats)
        if not self.threats:
            _require_natural(self.scalarizer)
        self._waiting: list[LossMatrix] = []  # of the batches since the parameters moved
        self._hooked = call_after_steps(optimizer, self._learn)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Be a copy, whose optimizer has lost its hooks."""
        vars(self).update(state)
        self._hooked = call_after_steps(self.optimizer, self._learn)

    @public
    def __call__(
        self, x: Images, y: Labels, *, weight: PerExample | None = None, reach: float = 1.0
    ) -> Descent:
        """Take a whole step on one batch; return its losses and weights.

        Gradients that stand in `.grad` are cleared before and after. `weight` and `reach` are as
        in `backward`.

        Raises TrainingError for a loss or a gradient that is not finite; nothing moves then.
        """
        self._clear()
        descent = self.backward(x, y, weight=weight, reach=reach)
        self.update()
        return descent

    @public
    def backward(
        self,
        x: Images,
        y: Labels,
        *,
        weight: PerExample | None = None,
        scale: float | Tensor = 1.0,
        reach: float = 1.0,
    ) -> Descent:
        """Search, and add the gradient of Σ weights · losses to `.grad`; nothing moves.

        `weight` (batch,) multiplies the loss of each example, whose sum is divided by the size of
        the batch: (1/B) Σ_b weight_b · loss_b. `scale` multiplies the gradient: 1 / n where n
        batches make a step, `scaler.get_scale()` with a GradScaler. `reach` is the share of their
        radius and step size that the threats have.

        Raises ModelError for images and labels that no step can be made of, DefinitionError for a
        loss that is not one number an example, and TrainingError for one that is not finite, or,
        with the pass size that fits, where the device has too little memory. The gradients of all
        batches since the last move are cleared then.
        """
        own = self._settings
        try:
            settings = StepSettings(
                own.pass_size,
                own.generator,
                reach,
                loss=own.loss,
                weight=weight,
                scale=scale,
            )
            with memory_explained(self.model, x, y, own.pass_size, 1 + len(self.threats)):
                descent = step_gradients(
                    self.model, self.optimizer, self.threats, self.scalarizer, x, y, settings
                )
        except BaseException:
            self._clear()
            raise
        self._waiting.append(descent.losses)
        if not self._hooked:
            self._learn()
        return descent

    @public
    def update(self, losses: LossMatrix | None = None) -> None:
        """Have the optimizer move the parameters and the scalarizer learn; clear the gradients.

        The scalarizer learns from `losses`, as gathered from several processes, or from those of
        the batches since the last move. Raises TrainingError for a gradient that is not finite;
        the gradients are cleared, and nothing moves.
        """
        if not self._waiting and self._hooked:
            raise DefinitionError(
                "there is no gradient to move along.",
                hint="Call step.backward(x, y) first; step(x, y) does both.",
            )
        if losses is not None:
            self._waiting = [_require_losses(losses)]
        try:
            if not is_trusted():
                with taken_alone():
                    require_finite_gradients(bare(self.model))
            move(bare(self.model), self.optimizer)
        except MoatError:
            self._clear()
            raise
        self._learn()
        self._clear()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of scalarizer, generator and threats, between two moves.

        Network and optimizer have their own. A generator of None is torch's global one, whose state
        is `torch.get_rng_state()`. Gradients, and the losses that wait with them, are not included.
        """
        generator = self._settings.generator
        return {
            "scalarizer": self.scalarizer.state_dict(),
            "generator": None if generator is None else generator.get_state(),
            "threats": {
                name: threat.state_dict()
                for name, threat in self.threats.items()
                if hasattr(threat, "state_dict")
            },
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned; raise DefinitionError for anything else."""
        generator = self._settings.generator
        try:
            drawn, threats = state["generator"], dict(state["threats"])
            if (drawn is None) != (generator is None) or threats.keys() - self.threats.keys():
                raise ValueError("it is of another generator or of other threats")
            self.scalarizer.load_state_dict(state["scalarizer"])
            if generator is not None:
                generator.set_state(drawn.cpu())
            for name, own in threats.items():
                self.threats[name].load_state_dict(own)  # type: ignore[attr-defined]
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise DefinitionError(
                f"the state does not fit this step: {type(error).__name__}: {error}.",
                hint="Make the step as the one that the state is of: the same threats and "
                "scalarizer, and a generator where that had one.",
            ) from error
        self._waiting = []

    def _learn(self) -> None:
        """Have the scalarizer see the losses that wait, as those of one batch."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.scalarizer.update(side_by_side(waiting))  # lines 7-10 of Algorithm 1

    def _clear(self) -> None:
        self._waiting = []
        self.optimizer.zero_grad(set_to_none=True)
        self.model.zero_grad(set_to_none=True)  # those that the optimizer does not move, too


def _require_natural(scalarizer: Scalarizer) -> None:
    if not bool(copy.deepcopy(scalarizer).plan((NATURAL,), 1).any()):
        raise DefinitionError(
            f"the scalarizer {type(scalarizer).__name__} weighs threats, and there are none.",
            hint='Hand over threats, or take "natural", which trains on the images as they are.',
        )


def _require_losses(losses: Any) -> LossMatrix:
    if not isinstance(losses, LossMatrix):
        raise DefinitionError(
            f"the losses are of type {type(losses).__name__}, and not a LossMatrix.",
            hint="Gather the values of `backward(...).losses`, and make one with the same names.",
        )
    return losses
