"""The two-moment quadratic program of Pareto adversarial training (Eqs. 12 and 13)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor

from moat.geometry import simplex
from moat.number_bounds import Bounded
from moat.objectives import LossMatrix
from moat.scalarizers.base import LaggedScalarizer, scalarizer, unsolved_share
from moat.scalarizers.by_name import require_known, row_of
from moat.transfers import send
from moat.types import Mask, Weights


def two_moment_matrix(mean: Tensor, covariance: Tensor) -> Tensor:
    """Return P of Eq. 13 for k objectives: 2k diag(M) − 2M with M = Σ + μμᵀ.

    aᵀPa is then the sum over all pairs of E(a_i L_i − a_j L_j)², so P is positive semi-definite
    (Appendix D). The paper's 8 is 2k for its four objectives. Shapes (k,), (k, k) to (k, k).
    """
    moment = covariance + torch.outer(mean, mean)
    return 2 * len(mean) * torch.diag(moment.diagonal()) - 2 * moment


def moments(window: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean (k,) and population covariance (k, k) of the rows of (steps, k).

    One row has covariance 0.
    """
    mean = window.mean(0)
    centred = window - mean
    return mean, centred.T @ centred / len(window)


@scalarizer("two-moment")
class TwoMoment(LaggedScalarizer):
    """The weights that make the weighted losses most equal at a required mean robust loss.

    After each step it solves Eq. 13, the lower level of Eq. 12, over the mini-batch mean losses of
    the last `window` steps; the weights start uniform and lag one step (Algorithm 1, lines 7 to
    10).

    The required weighted mean of the robust losses is `r` nats, or the share `rho` of their largest
    mean; exactly one of the two is given. Weights on the simplex reach only r between the smallest
    and the largest robust mean (and 0), and training pushes those means below any fixed r.
    `infeasible` says what happens then: "clamp" brings r to the nearest reachable value, at most
    `ceiling` times the largest robust mean; "keep-last" leaves the weights as they are; "as-cvxopt"
    takes cvxopt's last iterate as the paper's procedure does, which is off the simplex. Every step
    logs `r_effective` and `clamped`.

    With `target` = "each" every objective, the natural one included, has a level of its own in
    place of one level for the robust losses: the program takes the losses divided by their
    `levels`, without an equality. Any weights on the simplex satisfy it, so it is always feasible.
    Levels are ratios: k weights that sum to 1 could not meet k levels in nats.

    Example:
        >>> names = ("natural", "pgd", "flow")
        >>> scalarizer = TwoMoment(rho=0.5)
        >>> scalarizer.weights(names).sum().item()
        1.0
        >>> scalarizer.update(LossMatrix(torch.tensor([[0.1], [2.0], [1.0]]), names))
        >>> weights = scalarizer.weights(names)
        >>> round((weights[1:] @ torch.tensor([2.0, 1.0], dtype=torch.float64)).item(), 6)
        1.0
    """

    typical: ClassVar[Mapping[str, Any]] = MappingProxyType({"rho": 0.5})
    r: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    rho: Annotated[float, Field(ge=0, le=1)] | None = None
    window: PositiveInt = 50  # steps whose losses the moments are taken over
    ceiling: Annotated[float, Field(gt=0, le=1)] = 1.0
    infeasible: Literal["clamp", "keep-last", "as-cvxopt"] = "clamp"
    solver: str = "auto"  # of the quadratic program: auto, exact, cvxopt, ...
    target: Literal["mean", "each"] = "mean"  # what has a level: the robust mean, or every loss
    levels: dict[str, Annotated[PositiveFloat, Bounded]] | None = (
        None  # ratios by name; 1 for an objective without one
    )

    unidentifying_default: ClassVar[tuple[str, ...]] = ("target", "levels")  # runs are older

    @model_validator(mode="after")
    def _one_target(self) -> "TwoMoment":
        if self.target == "each":
            if self.r is not None or self.rho is not None:
                raise ValueError('target = "each" takes levels, and neither r nor rho')
            return self
        if self.levels is not None:
            raise ValueError('levels need target = "each"')
        if (self.r is None) == (self.rho is None):
            given = "neither" if self.r is None else "both"
            raise ValueError(f"exactly one of r and rho is given, not {given}")
        return self

    def __post_init__(self) -> None:
        simplex.require_solver(self.solver)
        self._history: Tensor | None = None  # ring buffer (window, k), float64
        self._weights: Tensor | None = None
        self._steps = 0
        self._log: dict[str, Tensor] = {}
        self._clamped_steps: Tensor | int = 0
        self._unsolved_steps: Tensor | int = 0
        relative = self.target == "each" or self.rho is not None
        self.scale_invariant = relative and self.infeasible != "as-cvxopt"
        self.simplex = self.infeasible != "as-cvxopt"
        self.needs_positive_losses = self.target == "each"

    def require_objectives(self, names: tuple[str, ...]) -> None:
        """Raise DefinitionError for a level of an unknown objective."""
        require_known(self.levels or {}, names, "levels")

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return every objective."""
        self.require_objectives(names)
        return torch.ones(len(names), dtype=torch.bool, device="cpu")

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return the weights of the last update; uniform before the first."""
        if self._weights is None:
            return torch.full((len(names),), 1 / len(names), dtype=torch.float64, device="cpu")
        return self._weights

    def update(self, losses: LossMatrix) -> None:
        """Observe the step's mean losses and solve Eq. 13 (Algorithm 1, lines 7 to 10)."""
        mean, covariance = moments(self._observe(losses.means().detach().double()))
        if self.target == "each":
            self._weigh_each(mean, covariance, losses.names)
            return
        matrix = two_moment_matrix(mean, covariance)
        last = send(self.weights(losses.names), mean.device)
        robust = torch.cat([torch.zeros_like(mean[:1]), mean[1:]])
        asked = self._level(robust)
        # Weight on the natural loss contributes nothing, hence the 0 among the reachable values.
        floor, top = robust.amin(), robust.amax()
        target = asked.clamp(min=floor, max=torch.maximum(floor, self.ceiling * top))
        clamped = target != asked
        answer = simplex.solve(matrix, simplex.Equality(robust, target), self.solver)
        chosen, solved = torch.where(answer.solved, answer.weights, last), answer.solved
        if self.infeasible == "keep-last":
            chosen = torch.where(clamped, last, chosen)
        elif self.infeasible == "as-cvxopt":
            chosen, solved = self._literally(matrix, robust, asked, last)
        self._weights = chosen
        self._clamped_steps = self._clamped_steps + clamped.long()
        self._unsolved_steps = self._unsolved_steps + (~solved).long()
        self._log = {
            "r_asked": asked,
            "r_effective": (robust * chosen).sum(),
            "clamped": clamped,
            "solved": solved,
        }

    def log(self) -> dict[str, Any]:
        """Return the level of the last program, whose weights the next step uses.

        `r_effective` is the level of the chosen weights, `clamped` whether the required level was
        out of reach, and `clamped_share` the share of such steps so far. `solved` says whether the
        solver found weights; if not, they stayed. `unsolved_share` is the share of such steps, if
        there were any. "as-cvxopt" adds how far the weights left the simplex.
        """
        record: dict[str, Any] = {key: value.item() for key, value in self._log.items()}
        if self._steps and self.target == "mean":
            record["clamped_share"] = int(self._clamped_steps) / self._steps
        record |= unsolved_share(self._unsolved_steps, self._steps)
        if self.infeasible == "as-cvxopt" and self._weights is not None:
            record["negative_weight"] = min(0.0, self._weights.min().item())
            record["weight_sum"] = self._weights.sum().item()
        return record

    def state_dict(self) -> dict[str, Any]:
        """Return the window, the weights, the counts and the last log."""
        return {
            "history": None if self._history is None else self._history.clone(),
            "weights": self._weights,
            "steps": self._steps,
            "clamped_steps": self._clamped_steps,
            "unsolved_steps": self._unsolved_steps,
            "log": dict(self._log),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        history = state["history"]
        self._history = None if history is None else history.clone()  # written in place
        self._weights = state["weights"]
        self._steps = state["steps"]
        self._clamped_steps = state["clamped_steps"]
        self._unsolved_steps = state.get("unsolved_steps", 0)  # older checkpoints did not count
        self._log = dict(state["log"])

    def _weigh_each(self, mean: Tensor, covariance: Tensor, names: tuple[str, ...]) -> None:
        """Choose the weights that make the weighted losses most alike, each over its level."""
        levels = send(row_of(self.levels or {}, names, 1.0), mean.device)
        matrix = two_moment_matrix(mean / levels, covariance / torch.outer(levels, levels))
        last = send(self.weights(names), mean.device)
        answer = simplex.solve(matrix, solver=self.solver)
        self._weights = torch.where(answer.solved, answer.weights, last)
        self._unsolved_steps = self._unsolved_steps + (~answer.solved).long()
        self._log = {"solved": answer.solved}

    def _level(self, robust: Tensor) -> Tensor:
        """Return the level that the robust losses are asked to average to, in nats."""
        if self.r is not None:
            return torch.full_like(robust[0], self.r)  # new_tensor would make a GPU's host wait
        assert self.rho is not None
        return self.rho * (robust[1:] if len(robust) > 1 else robust).amax()

    def _observe(self, mean: Tensor) -> Tensor:
        """Keep one observation and return all that are in the window, (steps, k)."""
        if self._history is None:
            self._history = mean.new_zeros(self.window, len(mean))
        self._history[self._steps % self.window] = mean
        self._steps += 1
        return self._history[: min(self._steps, self.window)]

    def _literally(
        self, matrix: Tensor, robust: Tensor, r: Tensor, last: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return cvxopt's last iterate and True, or the last weights and False where it raised."""
        found = simplex.last_iterate_of_cvxopt(matrix, simplex.Equality(robust, r))
        chosen = last if found is None else torch.as_tensor(found).to(last)
        return chosen, torch.tensor(found is not None, device="cpu")
