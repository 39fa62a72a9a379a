"""One threat, drawn for each step or example, in place of all: the others are not searched."""

import copy
from typing import Annotated, Any, Literal

import torch
from pydantic import BeforeValidator, Field, WithJsonSchema
from torch import Tensor

from moat.errors import FieldError
from moat.geometry.draws import draw
from moat.objectives import LossMatrix
from moat.scalarizers.base import LaggedScalarizer, scalarizer
from moat.scalarizers.choice import scalarizer_from
from moat.transfers import Arriving
from moat.types import Mask, Weights

PLANS_AVERAGED = 64
"""Plans of a rule whose mean weights are expected: of one that draws its weights."""


def lagged_rule(choice: Any) -> LaggedScalarizer:
    """Return the rule from a name, a table or an object; raise FieldError for one that measures."""
    made = scalarizer_from(choice)
    if not isinstance(made, LaggedScalarizer) or isinstance(made, Sampled):
        why = (
            "draws itself"
            if isinstance(made, Sampled)
            else "has weights only after all losses were measured"
        )
        raise FieldError(
            f"the rule {made.name!r} {why}.",
            hint='Take a rule whose weights exist before the step, such as "average", "two-moment" '
            'or "robust-error".',
        )
    return made


Rule = Annotated[
    LaggedScalarizer,
    BeforeValidator(lagged_rule),
    Field(validate_default=True),
    WithJsonSchema({"type": ["string", "object"], "description": "A scalarizer's name or table."}),
]


@scalarizer("sampled")
class Sampled(LaggedScalarizer):
    """The weighted sum Σᵢ wᵢ Lᵢ of a `rule`, with one threat drawn in place of all.

    Lᵢ is the mean loss of objective i, wᵢ its weight by the rule, W = Σ |wᵢ| over the threats.
    Threat i is drawn with probability |wᵢ| / W, and its loss is descended with the weight W and the
    sign of wᵢ. So the expected gradient is the gradient of the weighted sum. Only the drawn threat
    is searched; the natural loss keeps its weight in every step.

    With `each` = "step" one threat is drawn for the whole batch; with "example", one for each
    example, and W is divided among the threats by their shares of the batch.

    The weights of the rule exist before the step: "average" (uniform), "weighted" (fixed),
    "robust-error" (the draw of E-AT), "two-moment" and others. The rule learns from the last
    measured loss and accuracy of each objective, as soon as all have been measured. Its weights are
    those of two steps ago, so that the host need not wait for a GPU.

    Example:
        >>> rule, names = Sampled(), ("natural", "pgd", "rt")
        >>> rule.plan(names, batch=4, generator=torch.Generator().manual_seed(0))
        tensor([False, False,  True])
        >>> rule.weights(names)
        tensor([0., 0., 1.], dtype=torch.float64)

    Source: Croce and Hein, Adversarial Robustness against Multiple and Single l_p-Threat Models
    via Quick Fine-Tuning of Robust Classifiers, 2022 (E-AT); Madaan, Shin and Hwang, Learning to
    Generate Noise for Multi-Attack Robustness, 2021 (one threat a batch, uniformly).
    """

    permutes = False  # it draws
    each: Literal["step", "example"] = "step"
    rule: Rule = "average"  # type: ignore[assignment]  # whose weights are aimed at

    def __post_init__(self) -> None:
        self._rule = copy.deepcopy(self.rule)
        self.simplex = self._rule.simplex
        self.needs_positive_losses = self._rule.needs_positive_losses
        self.scale_invariant = self._rule.scale_invariant
        self._coming: list[Arriving] = []  # the rule's weights after the last two steps
        self._drawn: Tensor | None = None  # weights of the step that was planned
        self._needed: set[int] = set()  # objectives that the rule plans for
        self._seen: set[int] = set()  # objectives that were measured
        self._losses: Tensor | None = None  # last measured means (objectives,)
        self._accuracies: Tensor | None = None

    def require_objectives(self, names: tuple[str, ...]) -> None:
        """Raise FieldError where a field of the rule does not fit these objectives."""
        self._rule.require_objectives(names)

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Draw the threat, or one for each example; the natural loss is planned by the rule."""
        planned = self._rule.plan(names, batch, generator)
        target = self._target(names)
        draws = 1 if self.each == "step" else batch
        drawn, total = _draw(target[1:], draws, generator), target[1:].abs().sum()
        threats = torch.arange(1, len(names), device="cpu")[:, None] == drawn + 1
        share = threats.double().mean(1) if draws else threats.new_zeros(len(threats)).double()
        self._drawn = torch.cat([target[:1], target[1:].sign() * share * total])
        natural = planned[:1] if planned.ndim == 1 else planned[:1].any(1)
        mask = torch.cat([natural[:, None].expand(-1, draws), threats])
        self._needed |= _objectives(planned)
        self._seen |= _objectives(mask)
        return mask[:, 0] if self.each == "step" else mask

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return the weights of the drawn threats; before the first plan, those of the rule."""
        return self._rule.weights(names) if self._drawn is None else self._drawn

    def expected_plan(self, names: tuple[str, ...]) -> Tensor:
        """Return the probabilities of the threats, by the first weights of the rule."""
        rule = copy.deepcopy(self._rule)
        natural = rule.expected_plan(names)[:1]
        found = []
        for seed in range(PLANS_AVERAGED):
            rule.plan(names, 2, torch.Generator().manual_seed(seed))
            size = rule.weights(names).double()[1:].abs()
            found.append(size / size.sum())
        mean = torch.stack(found).mean(0)
        return torch.cat([natural, mean.nan_to_num()]).round(decimals=12)

    def update(self, losses: LossMatrix) -> None:
        """Let the rule learn from the last measured loss and accuracy of each objective."""
        self._losses = _last_of(losses.means().detach().double(), self._losses)
        if (found := losses.accuracies()) is not None:
            self._accuracies = _last_of(found.detach().double(), self._accuracies)
        if self._needed and self._needed <= self._seen:
            correct = None if self._accuracies is None else self._accuracies[:, None]
            self._rule.update(LossMatrix(self._losses[:, None], losses.names, correct))
            self._coming = [*self._coming[1:], Arriving(self._rule.weights(losses.names))]

    def log(self) -> dict[str, Any]:
        """Return the rule's entries for the log."""
        return self._rule.log()

    def state_dict(self) -> dict[str, Any]:
        """Return the rule's state, the last measurements, and the pending weights."""
        return {
            "rule": self._rule.state_dict(),
            "coming": [one.value().clone() for one in self._coming],
            "seen": sorted(self._seen),
            "losses": self._losses,
            "accuracies": self._accuracies,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._rule.load_state_dict(state["rule"])
        self._coming = [Arriving(weights) for weights in state["coming"]]
        self._seen = set(state["seen"])
        self._losses, self._accuracies = state["losses"], state["accuracies"]

    def _target(self, names: tuple[str, ...]) -> Tensor:
        """Return the rule's weights of two steps ago, or at first its own first ones."""
        if not self._coming:
            self._coming = [Arriving(self._rule.weights(names)) for _ in range(2)]
        return self._coming[0].value().double()


def _objectives(plan: Mask) -> set[int]:
    """Return the numbers of the objectives that a plan measures for some example."""
    rows = plan if plan.ndim == 1 else plan.any(1)
    return {number for number, planned in enumerate(rows.tolist()) if planned}


def _draw(weights: Tensor, draws: int, generator: torch.Generator | None) -> Tensor:
    """Return numbers of threats, (draws,), by the sizes of their weights; -1 where all are 0."""
    upper = weights.abs().cumsum(0)
    uniform = draw(torch.rand, weights.new_zeros(draws), generator)
    found = torch.searchsorted(upper, uniform * upper[-1:].sum(), right=True)
    last = max((number for number, weight in enumerate(weights.tolist()) if weight), default=-1)
    return found.clamp(max=last)


def _last_of(found: Tensor, before: Tensor | None) -> Tensor:
    """Return what was measured now, and before where nothing was."""
    return found if before is None else torch.where(found.isnan(), before, found)
