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
from moat.threats import JointSearch, Threat, bare, is_trusted, joint_search, threat_table
from moat.threats.cautions import warn_of_wide_radii
from moat.training.arguments import require_arguments
from moat.training.descent import Descent
from moat.training.descent_loss import DescentLoss
from moat.training.faults import require_finite_gradients, taken_alone
from moat.training.guard import require_parameters
from moat.training.memory import memory_explained
from moat.training.moving import call_after_steps, move
from moat.training.objective_losses import losses_by_name, objective_losses
from moat.training.step import step_gradients
from moat.training.step_identity import AS_BEFORE, require_identity, step_identity
from moat.training.step_settings import StepSettings
from moat.types import Images, Labels, PerExample


@public
class Step:
    """The body of Algorithm 1, for a loop of your own.

    `step(x, y)` searches the threats, moves the parameters along the gradient of Σ weights ·
    losses, and updates the scalarizer. Its halves are `backward`, which adds to the gradients, and
    `update`, or the optimizer's own `step`: either moves the parameters and lets the scalarizer
    learn once from all batches since the last move.

    `threats` are a table by name, a list or a single one; `scalarizer` is an object or a name. The
    parameters descend `losses`: a function of logits (batch, classes) and labels (batch,) to
    (batch,), the name of one such as "margin", or a table by objective such as {"pgd": "kl"}; a
    search climbs the loss of its threat. A pass holds `pass_size` examples (default: by device).
    `generator` draws random starts and the scalarizer's plan (default: torch's global one).

    Raises DefinitionError and ModelError for invalid arguments.

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
        losses: DescentLoss | str | Mapping[str, DescentLoss | str] = cross_entropy,
        pass_size: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        self.model, self.optimizer = model, optimizer
        self.threats, self.scalarizer = threat_table(threats), scalarizer_for(scalarizer)
        loss = losses_by_name(losses)
        self._settings = StepSettings(pass_size=pass_size, generator=generator, loss=loss)
        objective_losses(loss, (NATURAL, *self.threats))
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
        self,
        x: Images,
        y: Labels,
        *,
        weight: PerExample | None = None,
        reach: float = 1.0,
        search: JointSearch = joint_search,
    ) -> Descent:
        """Take a whole step on one batch; return its losses and weights.

        Gradients that stand in `.grad` are cleared before and after. `weight`, `reach` and `search`
        are as in `backward`.

        Raises NotFiniteError (a TrainingError and a ValueError) for a loss or a gradient that is
        not finite; nothing moves then.
        """
        self._clear()
        descent = self.backward(x, y, weight=weight, reach=reach, search=search)
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
        search: JointSearch = joint_search,
    ) -> Descent:
        """Search, and add the gradient of Σ weights · losses to `.grad`; the parameters stay.

        `weight` (batch,) multiplies the loss of each example; the sum is divided by the size of the
        batch: (1/B) Σ_b weight_b · loss_b. `scale` multiplies the gradient: 1 / n if n batches make
        a step, `scaler.get_scale()` with a GradScaler. `reach` is the share of the threats' radius
        and step size. `search` searches the threats together: a `moat.threats.ShortSearch` makes
        fewer iterations, or lets fallen examples leave.

        Raises ModelError for invalid images and labels, DefinitionError for a loss that is not one
        number for each example, NotFiniteError for a loss that is not finite, and TrainingError,
        with the pass size that fits, if the device has too little memory. The gradients of all
        batches since the last move are then cleared.
        """
        own = self._settings
        try:
            settings = StepSettings(
                own.pass_size,
                own.generator,
                reach,
                search,
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
        """Move the parameters by the optimizer, update the scalarizer, clear the gradients.

        The scalarizer learns from `losses`, gathered from several processes, or from those of the
        batches since the last move. Raises NotFiniteError for a gradient that is not finite; the
        gradients are cleared, and the parameters stay.
        """
        if not self._waiting and self._hooked:
            raise DefinitionError(
                "a move needs gradients.",
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
        is `torch.get_rng_state()`. Gradients and their pending losses are not included. `of` names
        the scalarizer and the threats that the state belongs to.
        """
        generator = self._settings.generator
        return {
            "of": step_identity(self.threats, self.scalarizer),
            "scalarizer": self.scalarizer.state_dict(),
            "generator": None if generator is None else generator.get_state(),
            "threats": {
                name: threat.state_dict()
                for name, threat in self.threats.items()
                if hasattr(threat, "state_dict")
            },
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state from `state_dict` of a step with the same scalarizer and threats.

        Raises DefinitionError for any other state.
        """
        generator = self._settings.generator
        try:
            drawn, threats = state["generator"], dict(state["threats"])
            require_identity(state, step_identity(self.threats, self.scalarizer))
            _require_generators(drawn is not None, generator is not None)
            if unknown := threats.keys() - self.threats.keys():
                raise ValueError(f"it has the state of the threat {min(unknown)!r}")
            self.scalarizer.load_state_dict(state["scalarizer"])
            if generator is not None:
                generator.set_state(drawn.cpu())
            for name, own in threats.items():
                self.threats[name].load_state_dict(own)  # type: ignore[attr-defined]
        except DefinitionError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            if not isinstance(state, Mapping):
                why = f"it is of type {type(state).__name__}, not a table"
            raise DefinitionError(
                f"the state does not fit this step: {why.rstrip('.')}.", hint=AS_BEFORE
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


def _require_generators(then: bool, now: bool) -> None:
    if then != now:
        has = {True: "a generator of its own", False: "torch's global generator"}
        raise ValueError(f"it is of {has[then]}, and the step draws from {has[now]}")


def _require_natural(scalarizer: Scalarizer) -> None:
    if not bool(copy.deepcopy(scalarizer).plan((NATURAL,), 1).any()):
        raise DefinitionError(
            f"the scalarizer {type(scalarizer).__name__} weighs threats; pass some.",
            hint='Pass threats, or use "natural", which trains on the unmodified images.',
        )


def _require_losses(losses: Any) -> LossMatrix:
    if not isinstance(losses, LossMatrix):
        raise DefinitionError(
            f"the losses are of type {type(losses).__name__}, not a LossMatrix.",
            hint="Gather the values of `backward(...).losses` into one with the same names.",
        )
    return losses
