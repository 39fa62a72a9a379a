"""The 95 % interval of a score, over other test examples and other seeds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, gammaincinv, ndtri, stdtrit

from moat.public import public

LEVEL = 0.95
FEWEST_SEEDS = 3
"""Of fewer, how far seeds differ is not known well enough for an interval."""
PSEUDO = 0.5
"""The weight of the pseudo-example at the end of the scale, in examples."""

Floats = NDArray[np.float64]
Ends = tuple[Floats, Floats]

_TAIL = (1 - LEVEL) / 2
_Z = float(ndtri(1 - _TAIL))
_RARE = tuple(float(chdtri(2 * x, LEVEL)) / 2 for x in (1, 2, 3))  # Poisson lower ends of 1, 2, 3
_STRAIGHT = 0.05  # a skewness below which a gamma distribution is as good as its expansion


@public
def share_interval(held: ArrayLike, of: ArrayLike) -> Ends:
    """Return the ends of the 95 % interval of a share, in percent: Wilson's, wider near 0 and 100.

    (x + z²/2 ± z √(x (n − x) / n + z²/4)) / (n + z²). Of 1 to 3 hits (2 up to 50 examples) the
    lower end is that of a Poisson count, and so is the upper one of as many misses: where hits are
    rare, Wilson's own lower end is too high (91 % where it says 95). Of no example it is all of 0
    to 100.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927;
    Brown, Cai and DasGupta, Interval Estimation for a Binomial Proportion, 2001, Section 4.1.1.
    """
    x, n = np.broadcast_arrays(np.asarray(held, np.float64), np.asarray(of, np.float64))
    shape, x, n = x.shape, np.atleast_1d(x), np.atleast_1d(n)
    low, high = 100 * _lowest_share(x, n), 100 * (1 - _lowest_share(n - x, n))
    return low.reshape(shape), high.reshape(shape)


@public
def mean_interval(added: ArrayLike, bounds: tuple[float, float]) -> Ends:
    """Return the ends of the 95 % interval of a mean over test examples, (..., examples).

    `bounds` are the smallest and largest contribution of an example. If all contributions are at
    the bounds, as those of an accuracy are, it is `share_interval`. Otherwise it is the Bayesian
    bootstrap's, to whose examples each end adds half an example at its bound: values that are
    absent from n examples may still exist, so no interval has zero width. The resampled mean is a
    Dirichlet mean; its quantiles are those of the gamma distribution (Pearson III) with the same
    mean, variance and skewness. For equal contributions, the ends are as far from the mean as
    Wilson's are from 0 hits.

    Source: Rubin, The Bayesian Bootstrap, 1981; Gaffke, Three test statistics for a nonparametric
    one-sided hypothesis on the mean of a nonnegative variable, 2005, whose pseudo-example weighs 1.
    """
    least, most = bounds
    shape = np.shape(added)[:-1]
    each = np.atleast_2d(np.asarray(added, dtype=np.float64))
    examples, span = each.shape[-1], most - least
    if not examples or not span:
        return np.full(shape, float(least)), np.full(shape, float(most))
    mean = each.mean(-1)
    apart = each - mean[..., None]
    second, third = (apart**2).mean(-1), (apart**3).mean(-1)
    equal = second <= (1e-9 * span) ** 2
    unseen = _Z**2 / (examples + _Z**2)
    ends = []
    for bound, tail in ((least, _TAIL), (most, 1 - _TAIL)):
        end = _quantile(mean, second, third, examples, bound, tail)
        ends.append(np.where(equal, mean + (bound - mean) * unseen, end))
    high = each >= most - 1e-9 * span
    split = (high | (each <= least + 1e-9 * span)).all(-1)
    shares = share_interval(high.sum(-1), examples)
    low, up = (
        np.where(split, least + span * share / 100, end)
        for share, end in zip(shares, ends, strict=True)
    )
    low, up = np.minimum(low, mean).clip(least, most), np.maximum(up, mean).clip(least, most)
    return low.reshape(shape), up.reshape(shape)


@public
def seeds_interval(added: Sequence[Floats] | Floats, bounds: tuple[float, float]) -> Ends:
    """Return the ends of the 95 % interval of a mean over seeds and examples, (seeds, ..., n).

    For one seed it is the interval over examples alone; for two there is none, NaN. For more, half
    of its width is √(t² s² / S + b²), with s the standard deviation of the S seeds, t Student's
    quantile of S − 1 degrees of freedom, and b half of the width over examples, less the variation
    of examples from seed to seed, which s includes. It is never narrower than the interval over
    examples.
    """
    each = np.asarray(added, dtype=np.float64)
    seeds, examples = len(each), each.shape[-1]
    average = each.mean(0)
    low, high = mean_interval(average, bounds)
    if seeds == 1 or not examples:
        return low, high
    if seeds < FEWEST_SEEDS:
        return np.full_like(low, np.nan), np.full_like(high, np.nan)
    mean = average.mean(-1)
    luck = stdtrit(seeds - 1, 1 - _TAIL) ** 2 * each.mean(-1).var(0, ddof=1) / seeds
    of_average = average.var(-1)
    own = (each.var(-1).mean(0) - of_average) / (seeds - 1)
    shared = 1 - (own / np.where(of_average > 0, of_average, np.inf)).clip(0, 1)
    down, up = (
        np.maximum(reach, np.sqrt(luck + shared * reach**2)) for reach in (mean - low, high - mean)
    )
    least, most = bounds
    low, high = (mean - down).clip(least, most), (mean + up).clip(least, most)
    return np.asarray(low), np.asarray(high)


def _lowest_share(x: Floats, n: Floats) -> Floats:
    """Return Wilson's lower end of x of n, or that of a Poisson count of 1, 2 or 3."""
    some = np.maximum(n, 1)
    half = _Z * np.sqrt(x * (n - x) / some + _Z**2 / 4)
    low = (x + _Z**2 / 2 - half) / (n + _Z**2)
    for count, rare in enumerate(_RARE, 1):
        applies = (x == count) & ((count < 3) | (n > 50))
        low = np.where(applies, np.minimum(low, rare / some), low)
    return np.asarray(np.where(x > 0, low, 0.0))  # no rounding beyond 0


def _quantile(
    mean: Floats, second: Floats, third: Floats, examples: int, bound: float, tail: float
) -> Floats:
    """Return a quantile of the resampled mean from the central moments of the contributions."""
    total = examples + PSEUDO
    shift = PSEUDO * (bound - mean) / total
    beyond = bound - mean - shift
    squares = examples * (second + shift**2) + PSEUDO * beyond**2
    cubes = examples * (third - 3 * shift * second - shift**3) + PSEUDO * beyond**3
    deviation = np.sqrt(squares / (total * (total + 1)))
    around = np.where(deviation > 0, deviation, 1.0)
    skewness = 2 * cubes / (total * (total + 1) * (total + 2)) / around**3
    return np.asarray(mean + shift + deviation * _gamma_quantile(skewness, tail))


def _gamma_quantile(skewness: Floats, tail: float) -> Floats:
    """Return a quantile of the gamma distribution of mean 0, variance 1 and this skewness."""
    z = float(ndtri(tail))
    nearly = z + (z**2 - 1) / 6 * skewness + (z**3 - 7 * z) / 144 * skewness**2  # Cornish-Fisher
    shape = 4 / np.maximum(np.abs(skewness), _STRAIGHT) ** 2
    sided = gammaincinv(shape, np.where(skewness > 0, tail, 1 - tail))
    skewed = np.sign(skewness) * (sided - shape) / np.sqrt(shape)
    return np.asarray(np.where(np.abs(skewness) < _STRAIGHT, nearly, skewed))
