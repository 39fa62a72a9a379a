"""The equality that cuts the simplex."""

from typing import NamedTuple

from torch import Tensor


class Equality(NamedTuple):
    """The constraint coefficientsᵀ a = value; shapes (k,) and ()."""

    coefficients: Tensor
    value: Tensor | float
