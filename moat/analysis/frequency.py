"""Frequencies: the power spectrum of what each threat changes in an image."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from moat.analysis.batches import all_rows, batches_of, evaluated_examples, require_threats
from moat.analysis.batching import Batching
from moat.analysis.parts import AnalysisKeys, AnalysisWork
from moat.analysis.smoothgrad import SmoothGrad, saliency_maps
from moat.analysis.spectra import Rings, by_ring, frequencies, power_spectra
from moat.evaluation.batch import BATCH, Batch
from moat.evaluation.searching import searched_images
from moat.names import NATURAL
from moat.outcomes.intervals import mean_interval
from moat.precision import plain_torch, tensor_float_32
from moat.public import public_at_once
from moat.records import Analysis, AnalysisFinding, AnalysisSubject, NamedArray
from moat.runs.arrays import Arrays
from moat.types import Images

SALIENCY = "saliency"
"""The name of the SmoothGrad maps among the signals."""


@dataclass(frozen=True)
class Signal:
    """A signal beside the perturbations: `make` maps a batch, its images and labels to signals.

    They have the shape of the images; one costs `passes` forwards and backwards.
    """

    make: Callable[[Batch, Images, Tensor], Images]
    passes: float = 0.0


def saliency_signal(settings: SmoothGrad | None = None) -> Signal:
    """Return the SmoothGrad maps of the true class's logit as a signal (Eq. 10).

    Example:
        >>> saliency_signal(SmoothGrad(copies=20)).passes
        20
    """
    how = settings or SmoothGrad()

    def make(batch: Batch, x: Images, y: Tensor) -> Images:
        first = batch.number * BATCH
        order = Batching(ids=range(first, first + len(x)), pass_size=batch.room.pass_size)
        return saliency_maps(batch.model, x, y, settings=how, batching=order)

    return Signal(make, how.copies)


@public_at_once
@plain_torch()
def frequency(
    models: Mapping[str, nn.Module],
    data: Any,
    protocol: Any,
    *,
    threats: Sequence[str] = (),
    signals: Mapping[str, Signal] | None = None,
    **keys: Unpack[AnalysisKeys],
) -> Analysis:
    """Return the mean power spectrum of each threat's perturbation, and of the natural images.

    The perturbation is the image at the end of the protocol's search at the threat's largest
    strength, minus the natural one; of natural images it is the image minus its mean. `signals`
    are further ones by name, such as `saliency_signal()`. `keys` are `pass_size`, `parts` and
    `progress`.

    Arrays, with axes model and signal: `power` (vertical, horizontal) is the mean over examples of
    P = Σ_channels |F|² / (height · width), in squared intensities, with 0 in the middle; `share`
    (%) the mean of each example's spectrum divided by its sum. `ring_share` (%) is `share` summed
    over rings of equal distance from 0 (`frequency`, cycles per pixel), `ring_density` the same in
    units of white noise, whose power is equal at all frequencies, `centroid` the mean frequency,
    weighted by power; all three have 95 % intervals over examples. `moved` counts the
    examples with a signal other than 0: the others have no share.

    Example:
        >>> from moat.threats import PGD
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> pair = torch.rand(20, 1, 8, 8), torch.arange(20) % 10
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=2)
        >>> found = frequency({"linear": network}, pair, pgd)
        >>> found.coordinates("signal"), found["share"].shape
        (['natural', 'pgd'], (1, 2, 8, 8))
    """
    split, classes, stated = evaluated_examples(data, protocol)
    labels = require_threats(stated, threats)
    rings = Rings.of(*split.images.shape[-2:])
    further = dict(signals or {})
    passes = sum(stated.cost(label) for label in labels)
    each = len(split) * (passes + sum(one.passes for one in further.values()))
    work = AnalysisWork(len(models) * each, keys.get("progress"), keys.get("parts"))
    found = []
    with tensor_float_32(False):
        for name, model in models.items():
            batches = batches_of(model, split, stated, classes, pass_size=keys.get("pass_size"))
            key = "/".join([name, *labels, *further])
            make = partial(_of_model, batches, labels, further, rings, work)
            found.append(work.part(key, each, make))
    names = [NATURAL, *labels, *further]
    return _analysis(list(models), names, rings, found, len(split))


def _of_model(
    batches: Iterator[Batch],
    labels: Sequence[str],
    further: Mapping[str, Signal],
    rings: Rings,
    work: AnalysisWork,
) -> Arrays:
    """Return of each signal the sums over examples, and each example's rings and centroid."""
    power: NDArray[np.float64] | float = 0.0
    share: NDArray[np.float64] | float = 0.0
    of_rings: list[NDArray[np.float64]] = []
    centroids: list[NDArray[np.float64]] = []
    for batch in batches:
        spectra = torch.stack(list(map(power_spectra, _signals(batch, labels, further, work))))
        total = spectra.sum((-2, -1), keepdim=True)
        shares = torch.where(total > 0, spectra / total.clamp(min=1e-300), 0.0)
        power = power + spectra.sum(1).cpu().numpy()
        share = share + shares.sum(1).cpu().numpy()
        ringed = torch.stack([by_ring(one, rings) for one in shares])
        radius = torch.from_numpy(rings.radius).to(shares.device)
        centroid = (shares * radius).sum((-2, -1))
        moved = total[..., 0, 0] > 0
        of_rings.append(torch.where(moved[..., None], ringed, torch.nan).cpu().numpy())
        centroids.append(torch.where(moved, centroid, torch.nan).cpu().numpy())
    return {
        "power": np.asarray(power),
        "share": np.asarray(share),
        "rings": np.concatenate(of_rings, 1),
        "centroids": np.concatenate(centroids, 1),
    }


def _signals(
    batch: Batch, labels: Sequence[str], further: Mapping[str, Signal], work: AnalysisWork
) -> Iterator[Images]:
    x, y = batch.examples(all_rows(batch))
    yield x - x.mean((-2, -1), keepdim=True)
    for label in labels:
        images, _ = searched_images(batch, label, all_rows(batch))
        work.advance(len(batch) * batch.protocol.cost(label))
        yield images - x
    for one in further.values():
        found = one.make(batch, x, y)
        work.advance(len(batch) * one.passes)
        yield found


def _analysis(
    models: Sequence[str],
    signals: Sequence[str],
    rings: Rings,
    found: Sequence[Arrays],
    examples: int,
) -> Analysis:
    height, width = rings.ring.shape
    both = ("model", "signal")
    plane, ringed = (*both, "vertical", "horizontal"), (*both, "frequency")
    each, centroids = (np.stack([part[key] for part in found]) for key in ("rings", "centroids"))
    moved = np.isfinite(centroids).sum(-1)
    counted = np.maximum(moved, 1)[..., None, None]
    share = 100 * np.stack([part["share"] for part in found]) / counted
    ring_mean, ring_low, ring_high = _with_ends(each.swapaxes(2, 3), 1.0)
    mean, low, high = _with_ends(centroids, float(rings.radius.max()))
    white = np.bincount(rings.ring.ravel()) / rings.ring.size  # its share of each ring
    unit = "cycles per pixel"
    arrays = {
        "model": NamedArray(np.array(models), ("model",)),
        "signal": NamedArray(np.array(signals), ("signal",)),
        "vertical": NamedArray(frequencies(height), ("vertical",), unit),
        "horizontal": NamedArray(frequencies(width), ("horizontal",), unit),
        "frequency": NamedArray(rings.frequency, ("frequency",), unit),
        "power": NamedArray(
            np.stack([part["power"] for part in found]) / examples,
            plane,
            "squared intensity",
            in_table=False,
        ),
        "share": NamedArray(share, plane, "%", in_table=False),
        "ring_share": NamedArray(100 * ring_mean, ringed, "%"),
        "ring_share_low": NamedArray(100 * ring_low, ringed, "%"),
        "ring_share_high": NamedArray(100 * ring_high, ringed, "%"),
        "ring_density": NamedArray(ring_mean / white, ringed, "times white noise"),
        "ring_density_low": NamedArray(ring_low / white, ringed, "times white noise"),
        "ring_density_high": NamedArray(ring_high / white, ringed, "times white noise"),
        "centroid": NamedArray(mean, both, unit),
        "centroid_low": NamedArray(low, both, unit),
        "centroid_high": NamedArray(high, both, unit),
        "moved": NamedArray(moved, both),
    }
    findings = tuple(
        AnalysisFinding(f"mean frequency of {signal} on {model}", *ends, unit)
        for m, model in enumerate(models)
        for s, signal in enumerate(signals)
        if all(map(np.isfinite, ends := (float(mean[m, s]), float(low[m, s]), float(high[m, s]))))
    )
    subjects = tuple(map(AnalysisSubject, models))
    settings = {"signals": list(signals), "examples": examples}
    return Analysis("frequency", arrays, subjects, settings, findings, (_NOTE,))


def _with_ends(values: NDArray[np.float64], largest: float) -> list[NDArray[np.float64]]:
    """Return the mean over the last axis and the ends of its interval; NaN are left out."""
    shape = values.shape[:-1]
    ends = np.full((3, *shape), np.nan)
    for place in np.ndindex(shape):
        row = values[place]
        kept = row[np.isfinite(row)]
        if len(kept):
            low, high = mean_interval(kept, (0.0, largest))
            ends[(slice(None), *place)] = kept.mean(), float(low), float(high)
    return list(ends)


_NOTE = (
    "Squares: the share of power at each frequency, 0 in the middle; mid-grey is the share of "
    "white noise, black a thirtieth of it, white thirty times as much. Curves: power by distance "
    "from 0 in the same unit, bands 95 % intervals over test examples. Natural images are taken "
    "without their mean."
)
