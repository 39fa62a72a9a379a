"""The reach of a front from seed to seed: the empirical attainment surfaces."""

from collections.abc import Sequence
from dataclasses import dataclass

import moocore
import numpy as np
from numpy.typing import NDArray

from moat.report.front.objectives import Objective, signs_of, values_of
from moat.report.settings import Setting


@dataclass(frozen=True, eq=False)
class Attainment:
    """The corners of three surfaces in the objectives as they are shown, (points, objectives).

    Each seed has a front of its own; the `best` surface is attained by at least one of them, the
    `median` by half, the `worst` by all.
    """

    seeds: tuple[int, ...]
    best: NDArray[np.float64]
    median: NDArray[np.float64]
    worst: NDArray[np.float64]


def attainment_of(
    settings: Sequence[Setting], objectives: Sequence[Objective]
) -> Attainment | None:
    """Return the surfaces over the seeds that all settings have; None of fewer than two seeds.

    None as well of more objectives than three, which are not to be drawn, nor, by moocore, had.

    Source: Grunert da Fonseca, Fonseca and Hall, Inferential Performance Assessment of Stochastic
    Optimisers and the Attainment Function, 2001.
    """
    shared = sorted(set.intersection(*(set(setting.seeds) for setting in settings)))
    if len(shared) < 2 or not 2 <= len(objectives) <= 3:
        return None
    rows = [row for setting in settings for row in setting.rows if row.point.seed in shared]
    rows.sort(key=lambda row: row.point.seed)  # moocore takes a set to be one stretch of rows
    signs = signs_of(objectives)
    points = signs * values_of(rows, objectives)
    sets = [shared.index(row.point.seed) + 1 for row in rows]
    found = np.asarray(moocore.eaf(points, sets))  # the last column: attained by what share
    count = np.rint(found[:, -1] * len(shared) / 100)
    surfaces = {
        name: found[count == by, :-1] * signs
        for name, by in (("best", 1), ("median", -(-len(shared) // 2)), ("worst", len(shared)))
    }
    return Attainment(tuple(shared), **surfaces)
