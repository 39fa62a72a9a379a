"""Skewness: of saliency maps' differences to a reference model, over the test set (Figure 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import nn

from moat.analysis.batches import evaluated_examples
from moat.analysis.few_examples import few_examples, few_notes
from moat.analysis.map_skewness import Maps, Scale, saliency_skewness
from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
from moat.analysis.saliency import SaliencySettings, maps_of
from moat.analysis.trend_arrays import finding_of
from moat.data import Split
from moat.errors import AnalysisError, did_you_mean
from moat.names import sweep_groups
from moat.outcomes.bootstrap import bootstrap_interval
from moat.precision import plain_torch, tensor_float_32
from moat.public import public, public_at_once
from moat.records import Analysis, AnalysisFinding, AnalysisSubject, NamedArray
from moat.runs.arrays import Arrays

TOGETHER = 256  # images whose maps are held at once, and kept as one finished part
_AXES = ("model", "maps", "scale")


@public
@dataclass(frozen=True, kw_only=True)
class SkewnessSettings:
    """The reference and the examples of a skewness, and the copies and noise of each map.

    `reference` is the name of a model, by default the first; `examples` is a count or the ids of
    test examples, by default all that the protocol evaluates.

    Example:
        >>> SkewnessSettings(reference="natural", copies=20).noise
        0.1
    """

    reference: str = ""
    examples: int | tuple[int, ...] | None = None
    copies: int = 100
    noise: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        self.maps()

    def maps(self) -> SaliencySettings:
        """Return how maps are made."""
        return SaliencySettings(copies=self.copies, noise=self.noise, seed=self.seed)


@public_at_once
@plain_torch()
def skewness(
    models: Mapping[str, nn.Module],
    data: Any,
    protocol: Any,
    *,
    settings: SkewnessSettings | None = None,
    pass_size: int | None = None,
    parts: AnalysisParts | None = None,
    progress: AnalysisProgress | None = None,
) -> Analysis:
    """Return the skewness of the difference of each model's saliency maps to the reference's.

    The difference is the model's SmoothGrad minus that of the reference, pixel by pixel; below 0
    the reference is the sparser of the two. Arrays: `skewness` (model, maps, scale, example), its
    `median` over examples and the 95 % interval (bootstrap); `maps` are signed or absolute, `scale`
    is raw or unit (each map at Euclidean length 1), since the paper does not say which it takes.
    For three models or more whose names begin alike, as those of a sweep, or for all if none do,
    findings give the rank correlation of the median with their order, as of growing strength.
    Raises AnalysisError for one model alone and for an unknown reference.

    Example:
        >>> import torch
        >>> from moat.threats import PGD
        >>> pair = {name: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)) for name in "ab"}
        >>> data = torch.rand(20, 1, 8, 8), torch.arange(20) % 10
        >>> few = SkewnessSettings(reference="a", copies=5)
        >>> found = skewness(pair, data, PGD(epsilon=0.1, step_size=0.1), settings=few)
        >>> found.coordinates("model"), found["skewness"].shape
        (['b'], (1, 2, 2, 20))
    """
    how = settings or SkewnessSettings()
    reference = _reference_of(models, how.reference)
    split, _, stated = evaluated_examples(data, protocol)
    few = split
    if how.examples is not None:
        few = few_examples(data, split, stated, how.examples, how.seed)
    each = float(len(models) * how.copies)
    work = AnalysisWork(of=len(few) * each, progress=progress, parts=parts)
    found = []
    with tensor_float_32(False):
        for start in range(0, len(few), TOGETHER):
            part = few.take(torch.arange(start, min(start + TOGETHER, len(few))))
            make = partial(_skewness, models, reference, part, how, (work, pass_size))
            found.append(work.part(f"{reference}/{start}", len(part) * each, make)["skewness"])
    others = [name for name in models if name != reference]
    return _analysis(others, reference, few, how, np.concatenate(found, axis=-1))


def _reference_of(models: Mapping[str, nn.Module], name: str) -> str:
    if len(models) < 2:
        raise AnalysisError(
            f"skewness compares models with a reference, so it needs two or more, not "
            f"{len(models)}.",
            where="models",
            hint="Name several runs: moat analyze skewness REFERENCE RUN...",
        )
    if name and name not in models:
        raise AnalysisError(
            f"no model is called {name!r}.{did_you_mean(name, models)}",
            where="reference",
            hint=f"known: {', '.join(models)}",
        )
    return name or next(iter(models))


def _skewness(
    models: Mapping[str, nn.Module],
    reference: str,
    part: Split,
    how: SkewnessSettings,
    doing: tuple[AnalysisWork, int | None],
) -> Arrays:
    """Return the skewness of some images, (model, maps, scale, example)."""
    maps = {
        name: torch.from_numpy(maps_of(model, part, how.maps(), doing[0], doing[1])["map"])
        for name, model in models.items()
    }
    found = [
        [
            [
                saliency_skewness(own, maps[reference], kind=kind, scale=scale).numpy()
                for scale in get_args(Scale)
            ]
            for kind in get_args(Maps)
        ]
        for name, own in maps.items()
        if name != reference
    ]
    return {"skewness": np.array(found)}


def _analysis(
    names: Sequence[str],
    reference: str,
    few: Split,
    how: SkewnessSettings,
    values: NDArray[np.float64],
) -> Analysis:
    low, high = bootstrap_interval(values)
    arrays = {
        "model": NamedArray(np.array(names), ("model",)),
        "maps": NamedArray(np.array(get_args(Maps)), ("maps",)),
        "scale": NamedArray(np.array(get_args(Scale)), ("scale",)),
        "example": NamedArray(few.ids.cpu().numpy(), ("example",)),
        "skewness": NamedArray(values, (*_AXES, "example"), in_table=False),
        "median": NamedArray(np.median(values, axis=-1), _AXES),
        "median_low": NamedArray(low, _AXES),
        "median_high": NamedArray(high, _AXES),
    }
    settings = {
        "reference": reference,
        "examples": len(few),
        "copies": how.copies,
        "noise": how.noise,
        "seed": how.seed,
    }
    return Analysis(
        "skewness",
        arrays,
        subjects=tuple(map(AnalysisSubject, (reference, *names))),
        settings=settings,
        findings=tuple(_findings(names, reference, values)),
        notes=(_NOTE.format(reference=reference, count=len(few)), *few_notes(len(few))),
    )


def _findings(
    names: Sequence[str], reference: str, values: NDArray[np.float64]
) -> list[AnalysisFinding]:
    """Return the median of each model, in the paper's words and in one that no scale changes.

    Signed raw maps are the paper's, whose sign follows whichever model has the larger gradients;
    only absolute maps of unit length say which one is sparser.
    """
    findings = []
    for kind, scale in (("signed", "raw"), ("absolute", "unit")):
        place = get_args(Maps).index(kind), get_args(Scale).index(scale)
        each = values[:, place[0], place[1]]
        low, high = bootstrap_interval(each)
        for m, name in enumerate(names):
            median = float(np.median(each[m]))
            words = f"{name} minus {reference}"
            if scale == "unit" and np.isfinite(low[m]):
                words = f"{name} is {_sparseness(low[m], high[m])} {reference}"
            findings.append(
                finding_of(
                    f"{kind} {scale} maps: {words}; median skewness",
                    [median, float(low[m]), float(high[m])],
                )
            )
        for group in sweep_groups(names):
            if len(group) < 3:
                continue
            trend_low, trend_high = bootstrap_interval(each[group], _trend)
            ends = f"{names[group[0]]} to {names[group[-1]]}"
            findings.append(
                finding_of(
                    f"{kind} {scale} maps, {ends}: rank correlation of median and order",
                    [float(_trend(each[group], axis=-1)), float(trend_low), float(trend_high)],
                )
            )
    return findings


def _sparseness(low: float, high: float) -> str:
    if low > 0:
        return "sparser than"
    return "denser than" if high < 0 else "as sparse, within the interval, as"


def _trend(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return the rank correlation of the medians with their order, of (model, ...)."""
    ranks = rankdata(np.median(values, axis=axis), axis=0)
    apart = ranks - ranks.mean(0)
    order = np.arange(len(ranks)) - (len(ranks) - 1) / 2
    size = np.sqrt((apart**2).sum(0) * (order**2).sum())
    return np.asarray(np.tensordot(order, apart, 1) / np.where(size > 0, size, 1.0))


_NOTE = (
    "Skewness of the pixel-wise difference of SmoothGrad maps, model minus {reference}: median "
    "over {count} test examples with its 95 % interval (bootstrap). Below 0, {reference} is the "
    "sparser of the two. Unit maps have Euclidean length 1."
)
