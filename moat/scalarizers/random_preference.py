"""Weights drawn for each step, from natural to robust: those of a conditioned network."""

import copy
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import BeforeValidator, Field, PositiveFloat, WithJsonSchema
from torch import Tensor

from moat.errors import FieldError
from moat.number_bounds import PositiveCount
from moat.preferences import on_the_line, simplex_row
from moat.scalarizers.average import Average
from moat.scalarizers.base import LaggedScalarizer, Scalarizer, registry, scalarizer
from moat.scalarizers.choice import scalarizer_from
from moat.scalarizers.sampled import Sampled
from moat.scalarizers.weighted import Weighted
from moat.types import Mask, Weights

SMALLEST_SHARE = 1e-12
"""A smaller weight is 0: its objective is not searched."""
EXPECTED_OVER = 64
"""Draws, for each level, whose mean plan is expected."""


def has_fixed_weights(rule: Scalarizer) -> bool:
    """Say whether a rule has fixed weights, or is `sampled` with such a rule."""
    return isinstance(rule.rule if isinstance(rule, Sampled) else rule, Average | Weighted)


def fixed_rule(choice: Any) -> LaggedScalarizer:
    """Return a rule of fixed weights from a name, a table or an object, or `sampled` of such."""
    if isinstance(choice, str) and not issubclass(registry.get(choice), _FIXED):
        raise _without_fixed_weights(choice)  # before its own fields are asked for
    made = scalarizer_from(choice)
    if not has_fixed_weights(made):
        raise _without_fixed_weights((made.rule if isinstance(made, Sampled) else made).name)
    return made  # type: ignore[return-value]


def _without_fixed_weights(name: str) -> FieldError:
    return FieldError(
        f"the rule {name!r} has no fixed weights for the robust end of the line.",
        hint='Take "average", "weighted", or "sampled" with one of them as its rule.',
    )


_FIXED = (Average, Weighted, Sampled)


FixedRule = Annotated[
    LaggedScalarizer,
    BeforeValidator(fixed_rule),
    Field(validate_default=True),
    WithJsonSchema({"type": ["string", "object"], "description": "A scalarizer's name or table."}),
]
Level = Annotated[float, Field(ge=0, le=1)]


@scalarizer("random-preference")
class RandomPreference(LaggedScalarizer):
    """The weighted sum Σᵢ pᵢ Lᵢ, where the preference p is drawn for each step.

    Lᵢ is the mean loss of objective i. With `draw` = "line", p lies between the natural objective
    and the weights of the `rule`, at a uniform point; with "levels", at one of `levels` (0 is
    natural, 1 the rule). With "dirichlet", p is drawn from Dirichlet(c, …, c) on the whole simplex,
    where c is the `concentration`. A network conditioned on the preference learns all of them at
    once.

    The rule is "average", "weighted", or "sampled" with one of these: then one threat is drawn by p
    and searched in place of all. An objective with the weight 0 is neither searched nor measured.

    `parts` divides a batch: each part has a preference of its own, and those of a line are drawn
    from as many equal sections of it.

    Example:
        >>> rule, names = RandomPreference(), ("natural", "pgd", "rt")
        >>> mask = rule.plan(names, batch=4, generator=torch.Generator().manual_seed(0))
        >>> rule.preference
        tensor([0.7575, 0.1213, 0.1213], dtype=torch.float64)

    Source: Ruchte and Grabocka, Scalable Pareto Front Approximation for Deep Multi-Objective
    Learning, 2021 (COSMOS: Dirichlet preferences); Navon et al., Learning the Pareto Front with
    Hypernetworks, 2021.
    """

    permutes = False  # it draws
    draw: Literal["line", "levels", "dirichlet"] = "line"
    rule: FixedRule = "average"  # type: ignore[assignment]  # the robust end of the line
    levels: Annotated[
        tuple[Level, ...], Field(strict=False)
    ] = ()  # of the line, for draw = "levels"
    concentration: PositiveFloat = 1.0  # of draw = "dirichlet"
    parts: PositiveCount = 4  # of a batch, a preference each

    def __post_init__(self) -> None:
        if (self.draw == "levels") != bool(self.levels):
            raise FieldError(
                f"draw = {self.draw!r} and levels = {list(self.levels)} do not belong together.",
                hint='Write draw = "levels" with levels = [0, 0.5, 1], or neither.',
            )
        if self.draw != "dirichlet" and self.concentration != 1:
            raise FieldError(
                f"concentration = {self.concentration:g} has no effect with draw = {self.draw!r}.",
                hint='Write draw = "dirichlet", or leave the concentration out.',
            )
        self._waiting: list[Tensor] = []  # preferences of the coming parts of this step
        self._preference: Tensor | None = None
        self._now: LaggedScalarizer = copy.deepcopy(self.rule)

    @property
    def preference(self) -> Tensor:
        """The preference (objectives,) that the last plan drew."""
        assert self._preference is not None
        return self._preference

    def require_objectives(self, names: tuple[str, ...]) -> None:
        """Raise DefinitionError unless the rule fits the objectives."""
        (self.rule.rule if isinstance(self.rule, Sampled) else self.rule).require_objectives(names)

    def at(self, point: float, names: tuple[str, ...]) -> Weights:
        """Return the preference at a point of the line, from natural (0) to the rule (1).

        Raises InputError outside it.
        """
        return on_the_line(point, self._robust(names))

    def _robust(self, names: tuple[str, ...]) -> Weights:
        """Return the robust end of the line."""
        if len(names) == 1:  # natural alone
            return torch.ones(1, dtype=torch.float64, device="cpu")
        fixed = self.rule.rule if isinstance(self.rule, Sampled) else self.rule
        weights = fixed.weights(names).double()
        return weights / weights.sum()

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Draw a preference, and by it the threat where the rule is sampled."""
        if not self._waiting:
            self._waiting = list(self._drawn(names, self.parts, generator))
        return self._plan_at(self._waiting.pop(0), names, batch, generator)

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return the weights that the last plan drew; before the first, those of the rule."""
        return self._now.weights(names)

    def expected_plan(self, names: tuple[str, ...]) -> Tensor:
        """Return each objective's planned share of a batch, as a mean over the draws."""
        count = EXPECTED_OVER * max(1, len(self.levels))
        rows = self._drawn(names, count, torch.Generator().manual_seed(0))
        planned = (rows > 0).double()
        if isinstance(self.rule, Sampled):
            threats = rows[:, 1:]
            planned[:, 1:] = (threats / threats.sum(1, keepdim=True)).nan_to_num()
        return planned.mean(0).round(decimals=3)

    def update(self, losses: Any) -> None:
        """Discard the preferences of parts that a short batch did not have."""
        self._waiting = []

    def _plan_at(
        self, row: Tensor, names: tuple[str, ...], batch: int, generator: torch.Generator | None
    ) -> Mask:
        self._preference, self._now = row, _rule_at(row, self.rule, names)
        return self._now.plan(names, batch, generator)

    def _drawn(
        self, names: tuple[str, ...], count: int, generator: torch.Generator | None
    ) -> Tensor:
        """Return preferences (count, objectives), drawn on the host, as a plan is."""
        if self.draw == "dirichlet":
            return self._dirichlet(names, count, generator)
        uniform = torch.rand(count, generator=generator, dtype=torch.float64, device="cpu")
        points = (torch.arange(count, device="cpu") + uniform) / count
        if self.draw == "levels":
            levels = torch.tensor(self.levels, dtype=torch.float64, device="cpu")
            points = levels[(points * len(levels)).long().clamp(max=len(levels) - 1)]
        robust = self._robust(names)
        return torch.stack([on_the_line(point, robust) for point in points.tolist()])

    def _dirichlet(
        self, names: tuple[str, ...], count: int, generator: torch.Generator | None
    ) -> Tensor:
        shape = (count, len(names))
        each = torch.full(shape, self.concentration, dtype=torch.float64, device="cpu")
        gamma = torch._standard_gamma(each, generator=generator).clamp_(min=1e-300)
        shares = gamma / gamma.sum(1, keepdim=True)
        shares = shares.masked_fill(shares < SMALLEST_SHARE, 0)
        return shares / shares.sum(1, keepdim=True)


def _rule_at(row: Tensor, rule: LaggedScalarizer, names: tuple[str, ...]) -> LaggedScalarizer:
    """Return the rule with a preference for its weights, which draws threats where it did."""
    numbers = dict(zip(names, row.tolist(), strict=True))
    fixed = Weighted(preference=numbers)
    return Sampled(each=rule.each, rule=fixed) if isinstance(rule, Sampled) else fixed


def preference_at(
    at: float | Mapping[str, float], rule: Scalarizer, names: tuple[str, ...]
) -> Weights:
    """Return the preference (objectives,) at a point of a rule's line, or from its weights by name.

    Raises InputError for a point outside the line, and for invalid weights.

    Example:
        >>> preference_at({"natural": 0.3, "pgd": 0.7}, RandomPreference(), ("natural", "pgd"))
        tensor([0.3000, 0.7000], dtype=torch.float64)
    """
    if isinstance(at, Mapping):
        return simplex_row(at, names)
    assert isinstance(rule, RandomPreference)
    return rule.at(at, names)
