"""Landscapes: the loss over two random directions of w, around the start and the end (Figure 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from moat.analysis.arguments import require_distinct, require_one_of
from moat.analysis.batches import evaluated_examples
from moat.analysis.batching import Batching
from moat.analysis.climbed_loss import View
from moat.analysis.few_examples import few_examples, few_notes, images_for
from moat.analysis.gradient_threats import gradient_threats
from moat.analysis.loss_surface import SurfaceGrid, loss_surfaces
from moat.analysis.parts import AnalysisParts, AnalysisProgress, AnalysisWork
from moat.analysis.threat_findings import threat_differences
from moat.data import Split
from moat.errors import AnalysisError
from moat.outcomes.bootstrap import bootstrap_interval
from moat.precision import plain_torch, tensor_float_32
from moat.public import public, public_at_once
from moat.records import Analysis, AnalysisSubject, NamedArray
from moat.runs.arrays import Arrays
from moat.threats import GradientThreat

_FORWARD = 1 / 3  # of a pass, which is a forward and backward
_AXES = ("model", "threat", "view")


@public
@dataclass(frozen=True, kw_only=True)
class LandscapeSettings:
    """The threats, examples, views and grid of a landscape.

    `threats` are labels of the protocol, by default all with a gradient; `examples` is a count or
    the ids of test examples; `views` are some of far, near and end. `points` and `extent` are those
    of a `SurfaceGrid`.

    Example:
        >>> LandscapeSettings(threats=("rt",), points=25).views
        ('far', 'near', 'end')
    """

    threats: tuple[str, ...] = ()
    examples: int | tuple[int, ...] = 16
    views: tuple[str, ...] = ("far", "near", "end")
    points: int = 51
    extent: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for view in self.views:
            require_one_of("view", view, View)
        require_distinct("view", self.views, "views")
        if not self.views:
            raise AnalysisError("a landscape needs a view.", hint="Name far, near or end.")
        self.grid()

    def grid(self) -> SurfaceGrid:
        """Return where the surfaces are measured."""
        return SurfaceGrid(points=self.points, extent=self.extent, seed=self.seed)


@public_at_once
@plain_torch()
def landscape(
    models: Mapping[str, nn.Module],
    data: Any,
    protocol: Any,
    *,
    settings: LandscapeSettings | None = None,
    pass_size: int | None = None,
    parts: AnalysisParts | None = None,
    progress: AnalysisProgress | None = None,
) -> Analysis:
    """Measure the climbed loss of some test examples over two random directions of w.

    See `loss_surfaces` for directions and views. Arrays: `loss` (model, threat, view, example, a,
    b) in nats; `mean` over the examples; `a` and `b`, the coordinates; `peaks` (model, threat,
    view, example), the number of local maxima of a surface, and `mean_peaks` with its 95 % interval
    over examples (bootstrap). A finding compares the peaks of each threat with those of the first,
    on the same examples.

    Example:
        >>> import torch
        >>> from moat.threats import RT
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> data = torch.rand(20, 1, 8, 8), torch.arange(20) % 10
        >>> few, rt = LandscapeSettings(examples=2, points=5), RT(epsilon=0.3, step_size=0.1)
        >>> found = landscape({"linear": network}, data, rt, settings=few)
        >>> found["loss"].shape, found["mean_peaks"].shape
        ((1, 1, 3, 2, 5, 5), (1, 1, 3))

    Source: Li et al., Visualizing the Loss Landscape of Neural Nets, 2018.
    """
    how = settings or LandscapeSettings()
    split, _, stated = evaluated_examples(data, protocol)
    threats = gradient_threats(stated, how.threats)
    few = few_examples(data, split, stated, how.examples, how.seed)
    each = len(how.views) * how.points**2 * len(few) * _FORWARD
    work = AnalysisWork(of=len(models) * len(threats) * each, progress=progress, parts=parts)
    found = []
    with tensor_float_32(False):
        for name, model in models.items():
            rows = []
            for label, threat in threats.items():
                make = partial(_surfaces, model, threat, few, how, (work, pass_size))
                rows.append(work.part(f"{name}/{label}", each, make)["loss"])
            found.append(np.stack(rows))
    return _analysis(list(models), list(threats), how, few, np.stack(found))


def _surfaces(
    model: nn.Module,
    threat: GradientThreat,
    few: Split,
    how: LandscapeSettings,
    doing: tuple[AnalysisWork, int | None],
) -> Arrays:
    """Return the surfaces of one threat on one model, (view, example, a, b)."""
    x, y, ids = images_for(model, few)
    work, size = doing
    order = Batching(ids=ids, pass_size=size, progress=lambda n: work.advance(n * _FORWARD))
    found = [
        loss_surfaces(model, threat, x, y, view=cast(View, view), grid=how.grid(), batching=order)
        for view in how.views
    ]
    return {"loss": np.stack([one.cpu().numpy() for one in found])}


def local_maxima(surfaces: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many inner points of each surface are above all eight of their neighbours.

    Example:
        >>> hill = -np.abs(np.arange(5) - 2.0)
        >>> local_maxima(hill[:, None] + hill)
        array(1)
    """
    inner = surfaces[..., 1:-1, 1:-1]
    rows, columns = surfaces.shape[-2:]
    above = np.ones(inner.shape, dtype=bool)
    for down in range(3):
        for across in range(3):
            if (down, across) != (1, 1):
                other = surfaces[..., down : rows - 2 + down, across : columns - 2 + across]
                above &= inner > other
    return np.asarray(above.sum((-2, -1)))


def _analysis(
    names: Sequence[str],
    labels: Sequence[str],
    how: LandscapeSettings,
    few: Split,
    loss: NDArray[Any],
) -> Analysis:
    axis = how.grid().axis().numpy()
    peaks = local_maxima(loss)
    low, high = bootstrap_interval(peaks, np.mean)
    arrays = {
        "model": NamedArray(np.array(names), ("model",)),
        "threat": NamedArray(np.array(labels), ("threat",)),
        "view": NamedArray(np.array(how.views), ("view",)),
        "example": NamedArray(few.ids.cpu().numpy(), ("example",)),
        "a": NamedArray(axis, ("a",)),
        "b": NamedArray(axis, ("b",)),
        "loss": NamedArray(loss, (*_AXES, "example", "a", "b"), "nats", in_table=False),
        "mean": NamedArray(loss.mean(3), (*_AXES, "a", "b"), "nats", in_table=False),
        "peaks": NamedArray(peaks, (*_AXES, "example"), "local maxima"),
        "mean_peaks": NamedArray(peaks.mean(-1), _AXES, "local maxima"),
        "mean_peaks_low": NamedArray(low, _AXES, "local maxima"),
        "mean_peaks_high": NamedArray(high, _AXES, "local maxima"),
    }
    found = Analysis(
        "landscape",
        arrays,
        subjects=tuple(map(AnalysisSubject, names)),
        settings={"threats": list(labels), "examples": len(few), "seed": how.seed},
        notes=(_NOTE.format(count=len(few)), *few_notes(len(few))),
    )
    return replace(
        found, findings=threat_differences(found, "peaks", "local maxima on the surface")
    )


_NOTE = (
    "Mean loss of {count} test examples over two random directions of w, each example with its "
    "own. In every block of w a direction is as long as a random member of the ball (far), as a "
    "tenth of it (near), both around the start of the search, or as w* around its end (end); w is "
    "not projected onto the ball."
)
