"""The shapes of tensors between files; checked at run time under test, free in production."""

from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

Images = Float[Tensor, "batch channel height width"]
"""Pixels in [0, 1]."""
StoredImages = (
    UInt8[Tensor, "batch channel height width"] | Float[Tensor, "batch channel height width"]
)
"""Pixels in 0..255, as a data set keeps them."""
Labels = Int[Tensor, " batch"]
Logits = Float[Tensor, "batch classes"]
PerExample = Float[Tensor, " batch"]
Verdicts = Bool[Tensor, " batch"]
"""Whether each example is classified correctly."""

Transform = tuple[Tensor, ...]
"""The searched parameters `w`: blocks, each with the batch first."""
Grid = Float[Tensor, "batch height width 2"]
Affine = Float[Tensor, "batch 2 3"]

Losses = Float[Tensor, "objective batch"]
Weights = Float[Tensor, " objective"]
Mask = Bool[Tensor, " objective"] | Bool[Tensor, "objective batch"]
Gramian = Float[Tensor, "objective objective"]
"""Inner products of the objectives' gradients."""
