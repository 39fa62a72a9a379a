"""The equality that cuts the simplex."""

from typing import NamedTuple

from torch import Tensor


class Equality(NamedTuple):
    """The constraint coefficientsᵀ a = value; shapes (k,) and ().

    Example:
        >>> Equality(torch.tensor([0.0, 1.0]), torch.tensor(0.5)).value
        tensor(0.5000)
    """

    coefficients: Tensor
    value: Tensor | float
