"""The bootstrap over test examples, and the moves of a mean over seeds."""

from collections.abc import Sequence

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


@public
def seed_moves(seeds: Sequence[Sequence[int]], draws: int = DRAWS) -> list[NDArray[np.float64]]:
    """Return the weights that move the means of some settings, (draws, seeds) each.

    Times the deviations of a setting's S seeds from their mean, a draw is the standard error of the
    mean times Student's t with S - 1 degrees of freedom: a normal number for each seed, over
    √(S χ²). A seed has the same number in every setting, so that settings stay paired. A single
    seed has no deviation, so nothing moves.

    Example:
        >>> first, second = seed_moves([[0, 1, 2], [1, 2, 3]], draws=5)
        >>> first.shape, seed_moves([[0, 1, 2]], draws=5)[0].shape
        ((5, 3), (5, 3))
    """
    generator = np.random.default_rng(1)
    numbers = {
        seed: generator.standard_normal(draws)
        for seed in sorted({seed for setting in seeds for seed in setting})
    }
    squares = {
        count: generator.chisquare(max(count - 1, 1), draws)
        for count in sorted({len(setting) for setting in seeds})
    }
    return [
        np.stack([numbers[seed] for seed in setting], 1)
        / np.sqrt(len(setting) * squares[len(setting)])[:, None]
        for setting in seeds
    ]
