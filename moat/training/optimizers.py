"""The optimizers of torch for recipes, with the names of their arguments."""

from collections.abc import Iterable
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import nn

from moat.fields import Fields
from moat.number_bounds import NonNegativeNumber, PositiveNumber

Momentum = Annotated[float, Field(ge=0, lt=1)]


class SGD(Fields):
    """Stochastic gradient descent with momentum.

    Example:
        >>> SGD(lr=0.1, momentum=0.9).build(nn.Linear(2, 2).parameters()).defaults["momentum"]
        0.9
    """

    type: Literal["sgd"] = "sgd"
    lr: PositiveNumber
    momentum: Momentum = 0.0
    weight_decay: NonNegativeNumber = 0.0
    nesterov: bool = False

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> "SGD":
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov = true needs a momentum above 0")
        return self

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return torch's SGD over the parameters."""
        return torch.optim.SGD(parameters, **self.model_dump(exclude={"type"}))


class AdamW(Fields):
    """Adam with decoupled weight decay; plain Adam if the decay is 0.

    Example:
        >>> AdamW(lr=3e-3).build(nn.Linear(2, 2).parameters()).defaults["lr"]
        0.003
    """

    type: Literal["adamw"] = "adamw"
    lr: PositiveNumber
    beta1: Momentum = 0.9
    beta2: Momentum = 0.999
    weight_decay: NonNegativeNumber = 0.0

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return torch's AdamW over the parameters."""
        betas = (self.beta1, self.beta2)
        return torch.optim.AdamW(
            parameters, lr=self.lr, betas=betas, weight_decay=self.weight_decay
        )


Optimizer = Annotated[SGD | AdamW, Field(discriminator="type")]
