"""A user's own network, named in a recipe as python:module:callable."""

from dataclasses import dataclass, field
from typing import Any

from torch import nn

from moat.errors import ModelError
from moat.local_code import import_object
from moat.models.base import Model

PYTHON_PREFIX = "python:"


@dataclass(frozen=True)
class PythonModel(Model):
    """Calls somebody's callable with the recipe's other keys of the model table."""

    reference: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return what the callable returns; raise ModelError where that is no module."""
        try:
            made = import_object(self.reference)(**self.arguments)
        except TypeError as error:
            raise ModelError(
                f"{self.reference!r} cannot be called with {self.arguments}: {error}",
                hint="The keys of the model table, besides type, are its keyword arguments.",
            ) from error
        if not isinstance(made, nn.Module):
            raise ModelError(f"{self.reference!r} returned {type(made).__name__}, no nn.Module.")
        return made
