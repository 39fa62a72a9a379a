"""The floor of a race: the part of a difference's error that more seeds do not lower."""

import numpy as np
from numpy.typing import ArrayLike

from moat.public import public


@public
def examples_error(differences: ArrayLike) -> float:
    """Return the standard error of a mean difference that is due to the choice of test examples.

    `differences` (seeds, examples) are what each example contributes to a paired difference. Var of
    the mean over S seeds and m examples is Var_training / S + Var_examples. The variance over
    examples of the mean over seeds still holds a part that changes from seed to seed, which is
    subtracted; what remains does not become smaller with more seeds.

    Example:
        >>> round(examples_error([[0.0, 100.0, 0.0, 0.0], [0.0, 100.0, 0.0, 0.0]]), 6)
        25.0
    """
    each = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    seeds, examples = each.shape
    if examples < 2:
        return float("inf")
    variance = float(each.mean(0).var(ddof=1))
    if seeds > 1:
        own = (float(each.var(1, ddof=1).mean()) - variance) / (seeds - 1)
        variance = max(variance - max(own, 0.0), 0.0)
    return float(np.sqrt(variance / examples))
