"""The bootstrap over test examples."""

import numpy as np
from numpy.typing import NDArray

from moat.public import public

DRAWS = 1000


@public
def resampling_weights(examples: int, draws: int = DRAWS, seed: int = 0) -> NDArray[np.float32]:
    """Return how much each example weighs in each resample, (draws, examples); rows add up to 1.

    Examples are drawn with replacement, as many as there are. The product with contributions
    (examples,) gives the resampled scores. The same weights for several runs on the same examples
    keep them paired: what is hard for all of them does not blur their difference.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, Section 8.3.
    """
    generator = np.random.default_rng(seed)
    counts = np.empty((draws, examples), dtype=np.float32)
    for row in counts:
        row[:] = np.bincount(generator.integers(examples, size=examples), minlength=examples)
    return counts / np.float32(max(examples, 1))
