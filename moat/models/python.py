"""A user's own network, named in a recipe as python:module:callable."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from moat.digests import digest_of_file
from moat.errors import ModelError
from moat.kept_modules import modules_of
from moat.local_code import file_of, import_object
from moat.models.base import Model
from moat.models.saved_state import saved_state
from moat.models.state_dicts import load_into
from moat.models.weights import DIGEST, read_weights, wrapping
from moat.public import public

PYTHON_PREFIX = "python:"


@public
@dataclass(frozen=True)
class PythonModel(Model):
    """A model from a user's callable, called with the other keys of the model table.

    Example:
        >>> PythonModel("python:torch.nn:Linear", {"in_features": 2, "out_features": 2}).arguments
        {'in_features': 2, 'out_features': 2}
    """

    reference: str
    arguments: dict[str, Any] = field(default_factory=dict)
    code: Path | None = None
    """The folder whose modules are imported before others of their names."""
    initial_weights: Path | None = None
    """The file that a run's training begins with: .pth, .pt or .safetensors."""
    weights_digest: str | None = None
    """The digest of that file: 16 hex digits of its SHA-256."""
    weights_key: ClassVar[str] = "initial_weights"

    @property
    def file(self) -> Path | None:
        """The file of the callable's module, None where there is none."""
        return file_of(self.reference, self.code)

    def initialise(self, network: nn.Module) -> None:
        """Load the initial weights; ModelError if they are missing, changed, or do not fit.

        A wrapper's prefix of every name, in the file or in the network, is ignored.
        """
        if self.initial_weights is None:
            return
        state = read_weights(self.initial_weights, self.weights_digest)
        prefix = wrapping(saved_state(network))
        try:
            load_into(network, {prefix + name: value for name, value in state.items()})
        except ModelError as error:
            raise ModelError(
                f"the weights {self.initial_weights.name!r} do not fit {self.reference!r}: "
                f"{error.message}.",
                hint=error.hint or "Set the model's other keys to those of the file's network.",
            ) from error
        held = saved_state(network).items()
        if broken := [n for n, v in held if isinstance(v, Tensor) and not bool(v.isfinite().all())]:
            raise ModelError(
                f"the weights {self.initial_weights.name!r} hold values that are not finite: "
                f"{broken[0]}.",
                hint="Use a checkpoint from before its training diverged.",
            )

    def identity(self) -> dict[str, Any]:
        """Return the callable's arguments, and the weights by their file's content."""
        path = self.initial_weights
        if path is None:
            return self.arguments
        digest = self.weights_digest or (digest_of_file(path) if path.is_file() else None)
        told = f"file {digest}" if digest else f"{path} (missing)"
        return {**self.arguments, "initial_weights": told}

    def digests(self) -> dict[str, str]:
        """Return what the file of weights holds, unless that was said or the file is gone."""
        path = self.initial_weights
        if path is None or self.weights_digest is not None or not path.is_file():
            return {}
        return {DIGEST: digest_of_file(path)}

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return the callable's network; raise ModelError if it is not a module."""
        try:
            with modules_of(self.code):
                made = import_object(self.reference, self.code)(**self.arguments)
        except TypeError as error:
            raise ModelError(
                f"{self.reference!r} cannot be called with {self.arguments}: {error}",
                hint="The keys of the model table, besides type, are its keyword arguments.",
            ) from error
        except SystemExit as error:
            raise ModelError(f"{self.reference!r} ended the program ({error!r}).") from error
        if not isinstance(made, nn.Module):
            raise ModelError(
                f"{self.reference!r} returned {type(made).__name__}, not an nn.Module."
            )
        return made
