"""A user's own network, named in a recipe as python:module:callable."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from moat.errors import ModelError
from moat.kept_modules import modules_of
from moat.local_code import file_of, import_object
from moat.models.base import Model
from moat.public import public

PYTHON_PREFIX = "python:"


@public
@dataclass(frozen=True)
class PythonModel(Model):
    """Calls somebody's callable with the recipe's other keys of the model table.

    Example:
        >>> PythonModel("python:torch.nn:Linear", {"in_features": 2, "out_features": 2}).arguments
        {'in_features': 2, 'out_features': 2}
    """

    reference: str
    arguments: dict[str, Any] = field(default_factory=dict)
    code: Path | None = None
    """The folder whose modules are imported before others of their names."""

    @property
    def file(self) -> Path | None:
        """The file of the callable's module, None where there is none."""
        return file_of(self.reference, self.code)

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return what the callable returns; raise ModelError where that is no module."""
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
            raise ModelError(f"{self.reference!r} returned {type(made).__name__}, no nn.Module.")
        return made
