"""MGDA: the shortest combination of the objectives' gradients."""

from typing import Any, ClassVar, Literal

import torch

from moat.geometry import simplex
from moat.objectives import LossMatrix
from moat.scalarizers.base import GradientScalarizer, scalarizer, unsolved_share
from moat.types import Gramian, Weights


@scalarizer("mgda")
class MGDA(GradientScalarizer):
    """The shortest vector in the convex hull of the objectives' gradients.

    Unless it is 0, a small step against it lowers every objective. It follows the smallest
    gradient. `normalize` divides each gradient, before the weights are chosen, by its length
    ("l2"), by its loss ("loss"), or by both ("loss+"). `combine` says which gradients the weights
    then combine: the original "gradients", as in the published code, which may raise an objective
    to first order, or the "normalized" ones, which lowers every objective. In the latter case the
    weights on the gradients are divided by their sum, so that they stay on the simplex.

    Example:
        >>> from moat.objectives import LossMatrix
        >>> gramian = torch.diag(torch.tensor([1.0, 4.0]))  # orthogonal gradients of length 1 and 2
        >>> MGDA().weights(gramian, LossMatrix(torch.ones(2, 1), ("natural", "pgd")))
        tensor([0.8000, 0.2000], dtype=torch.float64)

    Source: Désidéri, Multiple-Gradient Descent Algorithm, 2012; the normalisations are those of
    Sener and Koltun, Multi-Task Learning as Multi-Objective Optimization, 2018.
    """

    scale_invariant = True
    normalize: Literal["none", "l2", "loss", "loss+"] = "none"
    combine: Literal["gradients", "normalized"] = "gradients"  # what the weights are of
    solver: str = "auto"  # of the quadratic program: auto, exact, cvxopt, ...

    unidentifying_default: ClassVar[tuple[str, ...]] = ("combine",)  # runs are older than it

    def __post_init__(self) -> None:
        simplex.require_solver(self.solver)
        self.needs_positive_losses = self.normalize in ("loss", "loss+")
        self._solved = torch.tensor(True, device="cpu")
        self._steps = 0
        self._unsolved_steps: torch.Tensor | int = 0

    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return argmin aᵀGa on the simplex, G the Gramian of the normalised gradients.

        With combine = "normalized" each is divided by its gradient's divisor, then all by their
        sum.
        """
        scale = self._scale(gramian, losses.means().to(gramian))
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        answer = simplex.solve(gramian / torch.outer(scale, scale), solver=self.solver)
        self._solved = answer.solved
        self._steps += 1
        self._unsolved_steps = self._unsolved_steps + (~answer.solved).long()
        if self.combine == "gradients":
            return answer.weights
        scale = scale.double()
        weights = answer.weights.double() * (scale.amin() / scale)  # at most 1: nothing overflows
        return (weights / weights.sum()).to(answer.weights)

    def log(self) -> dict[str, Any]:
        """Say whether the solver found weights; if not, they were uniform."""
        unsolved = unsolved_share(self._unsolved_steps, self._steps)
        return {"solved": bool(self._solved), **unsolved}

    def state_dict(self) -> dict[str, Any]:
        """Return the results of the programs; the weights themselves have no state."""
        return {
            "solved": self._solved,
            "steps": self._steps,
            "unsolved_steps": self._unsolved_steps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._solved = state["solved"]
        self._steps = state.get("steps", 0)  # older checkpoints did not count
        self._unsolved_steps = state.get("unsolved_steps", 0)

    def _scale(self, gramian: Gramian, means: Weights) -> Weights:
        lengths = gramian.diagonal().clamp(min=0).sqrt()
        match self.normalize:
            case "none":
                return torch.ones_like(means)
            case "l2":
                return lengths
            case "loss":
                return means
            case "loss+":
                return means * lengths
