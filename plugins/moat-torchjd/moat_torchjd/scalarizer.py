"""A TorchJD weighting in the life cycle of a moat scalarizer."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torchjd.aggregation import Aggregator, GramianWeightedAggregator

from moat.errors import FieldError, MissingPackageError
from moat.objectives import LossMatrix
from moat.randomness import seed_named
from moat.scalarizers import GradientScalarizer
from moat.scalarizers.base import unsolved_share
from moat.types import Gramian, Mask, Weights
from moat_torchjd.fields import Parameter


class TorchJDScalarizer(GradientScalarizer):
    """The weights that a TorchJD weighting gives the gradients of one step, from their Gramian.

    The Gramian of m objectives, m numbers squared, goes to the CPU in float64: TorchJD's solvers
    read it there. TorchJD draws from torch's global generator; here the draws of a step depend only
    on the step's generator, and the global one stays unchanged. If TorchJD finds no finite weights,
    as for gradients of length 0, they are uniform, and the log counts the step.
    """

    simplex = False
    aggregator: ClassVar[type[Aggregator]]
    parameters: ClassVar[tuple[Parameter, ...]]

    def __post_init__(self) -> None:
        given = {one.name: getattr(self, one.field) for one in self.parameters}
        vectors = [one.name for one in self.parameters if one.is_vector]
        for name in vectors:
            if given[name] is not None:
                given[name] = torch.tensor(given[name], dtype=torch.float64, device="cpu")
        try:
            made = self.aggregator(**given)
        except ImportError as error:
            raise MissingPackageError(
                f"the scalarizer {self.name!r} needs a package that is not installed: {error}",
                hint="pip install 'torchjd[cagrad]'; 'torchjd[full]' installs what any rule needs.",
            ) from error
        except (ValueError, TypeError) as error:
            raise FieldError(
                f"{self.name}: {error}",
                hint=f"{self.name} takes the keys of "
                f"torchjd.aggregation.{self.aggregator.__name__}.",
            ) from error
        is_gramian = isinstance(made, GramianWeightedAggregator)
        self._weighting: nn.Module = made.gramian_weighting if is_gramian else made.weighting
        self._seed, self._steps, self._unsolved = 0, 0, 0

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return every objective; the step's draws are seeded by the generator, which stays."""
        if generator is not None:
            state = generator.get_state().cpu().numpy().tobytes()
            self._seed = int.from_bytes(sha256(state).digest()[:7])
        return super().plan(names, batch, generator)

    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return TorchJD's weights (objectives,), as it scales them."""
        small = gramian.detach().to("cpu", torch.float64)
        found = self._found(small, losses) if small.isfinite().all() else None
        self._steps += 1
        if found is None or not found.isfinite().all():
            self._unsolved += 1
            found = torch.full_like(small[0], 1 / len(small))
        return found.detach().clone().to(gramian.device)

    def _found(self, gramian: Gramian, losses: LossMatrix) -> Weights | None:
        """Return what TorchJD finds, None where a decomposition does not converge."""
        try:
            with torch.no_grad(), _draws_of(seed_named(self._seed, self._steps)):
                return self._weighting(gramian)
        except torch.linalg.LinAlgError:
            return None
        except ValueError as error:
            raise FieldError(
                f"{self.name} cannot weigh {len(losses.names)} objectives "
                f"({', '.join(losses.names)}): {error}",
                hint="A list in its table has one number for each objective, natural first.",
            ) from error

    def log(self) -> dict[str, Any]:
        """Return the share of steps in which TorchJD found no finite weights."""
        return unsolved_share(self._unsolved, self._steps)

    def state_dict(self) -> dict[str, Any]:
        """Return the weighting's own state, such as a moving average, and the count of steps."""
        counts = {"seed": self._seed, "steps": self._steps, "unsolved_steps": self._unsolved}
        return {**counts, "weighting": _state_of(self._weighting)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self._seed, self._steps = state["seed"], state["steps"]
        self._unsolved = state["unsolved_steps"]
        for name, value in state["weighting"].items():
            setattr(self._weighting, name, copy.deepcopy(value))


@contextmanager
def _draws_of(seed: int) -> Iterator[None]:
    """Seed torch's generator of the CPU for TorchJD, and put it back."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _state_of(weighting: nn.Module) -> dict[str, Any]:
    """Return the buffers and the plain attributes of a weighting, copied."""
    own = {**vars(weighting), **weighting._buffers}
    inherited = vars(nn.Module())
    kept = {name: value for name, value in own.items() if name not in inherited}
    return {name: copy.deepcopy(value) for name, value in kept.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str | Tensor | torch.dtype)
