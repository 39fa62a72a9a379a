"""Curvature: signs and extremes of the Hessian of the loss in w, at start and end of a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from moat.analysis.arguments import require_above_zero
from moat.analysis.batches import evaluated_examples
from moat.analysis.batching import Batching
from moat.analysis.few_examples import few_examples, few_notes, images_for
from moat.analysis.gradient_threats import gradient_threats
from moat.analysis.hessian_spectrum import Lanczos, loss_curvature
from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
from moat.analysis.threat_findings import threat_differences
from moat.data import Split
from moat.outcomes.bootstrap import FEWEST_EXAMPLES, bootstrap_interval
from moat.precision import plain_torch, tensor_float_32
from moat.public import public, public_at_once
from moat.records import Analysis, AnalysisSubject, NamedArray
from moat.runs.arrays import Arrays
from moat.threats import GradientThreat

_PRODUCT = 2.0  # passes, a forward and backward each (measured: 1.6 to 2.2)
_PLACES = ("start", "end")
_AXES = ("model", "threat", "place")
_QUANTITIES = {
    "lowest": "nats / w²",
    "highest": "nats / w²",
    "negative": "%",
    "positive": "%",
    "convexity": "",
    "error": "nats / w²",
}


@public
@dataclass(frozen=True, kw_only=True)
class CurvatureSettings:
    """The threats and examples of a curvature, and the number of Hessian products for each.

    `threats` are labels of the protocol, by default all with a gradient; `examples` is a count or
    the ids of test examples.

    Example:
        >>> CurvatureSettings(threats=("rt", "integrated")).products
        32
    """

    threats: tuple[str, ...] = ()
    examples: int | tuple[int, ...] = 100
    products: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        require_above_zero("products", self.products)
        self.lanczos()

    def lanczos(self) -> Lanczos:
        """Return how the spectra are found."""
        return Lanczos(steps=self.products, seed=self.seed)


@public_at_once
@plain_torch()
def curvature(
    models: Mapping[str, nn.Module],
    data: Any,
    protocol: Any,
    *,
    settings: CurvatureSettings | None = None,
    pass_size: int | None = None,
    parts: AnalysisParts | None = None,
    progress: AnalysisProgress | None = None,
) -> Analysis:
    """Measure the Hessian of the climbed loss in w at start and end of the searches.

    See `loss_curvature` for its limits. Arrays (model, threat, place, example): `lowest` and
    `highest` eigenvalue with the largest `error` of both, `negative` and `positive` (% of all
    eigenvalues), and `convexity` = (h − l) / (h + l) for h the highest eigenvalue above 0 and l the
    lowest one's size below 0: 1 for a convex loss, −1 for a concave one, 0 where both are alike,
    NaN where the loss is flat. `median_...` of each has a 95 % interval over examples (bootstrap).
    Findings compare the convexity of each threat with that of the first, on the same examples.

    Example:
        >>> import torch
        >>> from moat.threats import RT
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> data = torch.rand(20, 1, 8, 8), torch.arange(20) % 10
        >>> few, rt = CurvatureSettings(examples=3), RT(epsilon=0.3, step_size=0.1)
        >>> found = curvature({"linear": network}, data, rt, settings=few)
        >>> found["lowest"].shape, found["median_negative"].shape
        ((1, 1, 2, 3), (1, 1, 2))
    """
    how = settings or CurvatureSettings()
    split, _, stated = evaluated_examples(data, protocol)
    threats = gradient_threats(stated, how.threats)
    few = few_examples(data, split, stated, how.examples, how.seed)
    costs = {label: _cost(threat, few, how) for label, threat in threats.items()}
    each = {label: len(few) * len(_PLACES) * cost for label, cost in costs.items()}
    work = AnalysisWork(of=len(models) * sum(each.values()), progress=progress, parts=parts)
    found = []
    with tensor_float_32(False):
        for name, model in models.items():
            for label, threat in threats.items():
                make = partial(_spectra, model, threat, few, how, (work, pass_size))
                found.append(work.part(f"{name}/{label}", each[label], make))
    shape = (len(models), len(threats), len(_PLACES), len(few))
    arrays = {key: np.stack([one[key] for one in found]).reshape(shape) for key in found[0]}
    return _analysis(list(models), list(threats), few, how, arrays)


def _cost(threat: GradientThreat, few: Split, how: CurvatureSettings) -> float:
    """Return the passes of one spectrum: a small w takes a product an entry."""
    entries = sum(block.numel() for block in threat.identity(torch.zeros(1, *few.images.shape[1:])))
    return min(entries, how.products) * _PRODUCT


def _spectra(
    model: nn.Module,
    threat: GradientThreat,
    few: Split,
    how: CurvatureSettings,
    doing: tuple[AnalysisWork, int | None],
) -> Arrays:
    """Return what is known of the Hessians of one threat on one model, (place, example)."""
    x, y, ids = images_for(model, few)
    work, size = doing
    cost = _cost(threat, few, how)
    order = Batching(ids=ids, pass_size=size, progress=lambda n: work.advance(n * cost))
    lanczos = how.lanczos()
    start = loss_curvature(model, threat, x, y, at="start", settings=lanczos, batching=order)
    end = loss_curvature(model, threat, x, y, at="end", settings=lanczos, batching=order)
    return {
        name: np.stack([getattr(one, name).double().cpu().numpy() for one in (start, end)])
        for name in ("lowest", "highest", "negative", "positive", "error")
    }


def _convexity(lowest: NDArray[Any], highest: NDArray[Any]) -> NDArray[np.float64]:
    up, down = np.maximum(highest, 0), np.maximum(-lowest, 0)
    both = up + down
    return np.where(both > 0, (up - down) / np.where(both > 0, both, 1), np.nan)


def _analysis(
    names: Sequence[str],
    labels: Sequence[str],
    few: Split,
    how: CurvatureSettings,
    found: Arrays,
) -> Analysis:
    measured = {
        **found,
        "negative": 100 * found["negative"],
        "positive": 100 * found["positive"],
        "convexity": _convexity(found["lowest"], found["highest"]),
    }
    arrays = {
        "model": NamedArray(np.array(names), ("model",)),
        "threat": NamedArray(np.array(labels), ("threat",)),
        "place": NamedArray(np.array(_PLACES), ("place",)),
        "example": NamedArray(few.ids.cpu().numpy(), ("example",)),
    }
    for name, unit in _QUANTITIES.items():
        values = measured[name]
        few_known = np.isfinite(values).sum(-1) < FEWEST_EXAMPLES
        ends = bootstrap_interval(values, _median)
        low, high = (np.where(few_known, np.nan, end) for end in ends)
        arrays[name] = NamedArray(values, (*_AXES, "example"), unit)
        arrays[f"median_{name}"] = NamedArray(_median(values), _AXES, unit)
        arrays[f"median_{name}_low"] = NamedArray(low, _AXES, unit)
        arrays[f"median_{name}_high"] = NamedArray(high, _AXES, unit)
    analysis = Analysis(
        "curvature",
        arrays,
        subjects=tuple(map(AnalysisSubject, names)),
        settings={
            "threats": list(labels),
            "examples": len(few),
            "products": how.products,
            "seed": how.seed,
        },
        notes=(_NOTE.format(count=len(few)), *few_notes(len(few))),
    )
    words = "convexity (1 convex, -1 concave)"
    return replace(analysis, findings=threat_differences(analysis, "convexity", words))


def _median(values: NDArray[Any], axis: int = -1) -> NDArray[np.float64]:
    """Return the median of what is a number along the last axis; NaN where nothing is."""
    each = np.sort(values, axis=axis)  # NaN last
    count = (~np.isnan(each)).sum(axis, keepdims=True)
    middle = [np.maximum(count - 1, 0) // 2, count // 2]
    last = each.shape[-1] - 1
    pair = [np.take_along_axis(each, np.minimum(place, last), axis) for place in middle]
    return np.asarray((pair[0] + pair[1]).squeeze(axis) / 2)


_NOTE = (
    "Hessian of the loss in w for {count} test examples: medians with 95 % intervals (bootstrap "
    "over examples). Convexity compares the extreme eigenvalues: 1 is convex, -1 concave. With "
    "ReLU, pooling and bilinear warps the loss is smooth only in pieces; jumps of the slope "
    "between them are not in the Hessian."
)
