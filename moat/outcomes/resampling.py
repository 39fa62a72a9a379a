"""The bootstrap over test examples."""

import numpy as np
from numpy.typing import NDArray

from moat.public import public

DRAWS = 1000


@public
def resampling_weights(examples: int, draws: int = DRAWS, seed: int = 0) -> NDArray[np.float32]:
    """Return the weight of each example in each resample, (draws, examples); rows sum to 1.

    Examples are drawn with replacement, as many as there are. The product with contributions
    (examples,) gives the resampled scores. The same weights for several runs on the same examples
    keep them paired: examples that are hard for all runs do not blur the difference.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, Section 8.3.
    """
    generator = np.random.default_rng(seed)
    counts = np.empty((draws, examples), dtype=np.float32)
    for row in counts:
        row[:] = np.bincount(generator.integers(examples, size=examples), minlength=examples)
    return counts / np.float32(max(examples, 1))
