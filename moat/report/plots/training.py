"""Losses and weights over the training steps, one row for each variant and point of its sweep."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from moat.errors import PlotError, RunFolderError
from moat.names import NATURAL
from moat.report.curves import Curve, TrainingCurves, lone_places, training_curves
from moat.report.layout import COLUMN, TEXT, Panels, lay_out, plain
from moat.report.notes import REACH_TEXT
from moat.report.settings import Runs
from moat.report.style import PAPER, drawn_in
from moat.report.text_widths import cut_to
from moat.runs import RunFolder

_MOST_ROWS = 12
_POINTS = 200
_CLAMPED = "#8C8C8C"


@dataclass(frozen=True)
class _Training:
    """A column's curves, one a seed whose log could be read."""

    name: str
    seeds: tuple[TrainingCurves, ...]


def draw_training(runs: Runs) -> Figure:
    """Return the figure: the losses on the left, the weights on the right.

    Several seeds are a mean and, as a band, their range: no interval, since a training batch is no
    test. Shaded are the steps whose r was out of reach, the darker
    the more seeds it was so for. PlotError where no run has a log.
    """
    found, absent = _read(runs)
    if not found:
        raise PlotError(
            "no run has a log of its training.",
            hint="\n".join(absent[:3]) or "A model trained elsewhere has none.",
        )
    looks = _objective_looks(runs, found)
    longest = max(seed.steps[-1] for training in found for seed in training.seeds)
    blocks = -(-len(found) // _MOST_ROWS)
    rows = -(-len(found) // blocks)
    with drawn_in(PAPER):
        panels = _panels(rows, blocks)
        figure, every = lay_out(
            panels, runs.group.title, _handles(looks, found), _caption(found, absent)
        )
        for number in range(rows * blocks):
            block, row = divmod(number, rows)
            place = row * 2 * blocks + 2 * block
            pair = every[place], every[place + 1]
            if number >= len(found):
                for axes in pair:
                    axes.remove()
                continue
            _draw_pair(pair, found[number], looks, longest, first=row == 0)
            if row == rows - 1 or number == len(found) - 1:
                _name_steps(pair)
    return figure


def _read(runs: Runs) -> tuple[list[_Training], list[str]]:
    """Return the curves of each column, and why there are none of a run."""
    found, absent = [], []
    for column in runs.settings:
        seeds = []
        for point in column.points:
            try:
                curves = training_curves(RunFolder(point.folder).read_log(), _POINTS)
            except RunFolderError as error:
                absent.append(str(error))
                continue
            if curves.steps:
                seeds.append(curves)
        if seeds:
            found.append(_Training(column.name, tuple(seeds)))
        else:
            absent.append(f"{column.name} has no log.")
    return found, absent


def _panels(rows: int, blocks: int) -> Panels:
    gap = 0.34
    width = (COLUMN - 0.34 - 0.12 - gap) / 2
    return Panels(
        rows=rows,
        columns=2 * blocks,
        height=0.62,
        left=0.34,
        width=width,
        between=(gap, 0.22),
        below=0.36,
        title=0.34,
    )


def _draw_pair(
    pair: tuple[Any, Any],
    training: _Training,
    looks: Mapping[str, dict[str, Any]],
    longest: int,
    *,
    first: bool,
) -> None:
    for axes, which in zip(pair, ("losses", "weights"), strict=True):
        _shade(axes, training.seeds)
        for name, look in looks.items():
            _draw_curve(
                axes, [(s.steps, getattr(s, which).get(name)) for s in training.seeds], look
            )
        plain(axes, grid="y")
        axes.set_xlim(0, longest)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.tick_params(labelbottom=False)
        if first:
            axes.annotate(
                {"losses": "loss (nats)", "weights": "weight"}[which],
                (0, 1),
                xytext=(0, 12),
                xycoords="axes fraction",
                textcoords="offset points",
                fontsize=TEXT,
                fontweight="bold",
            )
    losses, weights = pair
    losses.set_ylim(bottom=min(0.0, losses.get_ylim()[0]))
    drawn = [0.0, 1.0, *(v for line in weights.lines for v in line.get_ydata() if v == v)]
    weights.set_ylim(min(drawn) - 0.05, max(drawn) + 0.05)  # by the means
    if (min(drawn), max(drawn)) == (0, 1):
        weights.set_yticks([0, 0.5, 1])
    losses.set_title(cut_to(training.name, 7, COLUMN - 0.5), fontsize=7, loc="left", pad=2)


def _name_steps(pair: tuple[Any, Any]) -> None:
    for axes in pair:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("step", fontsize=TEXT, labelpad=1)


def _draw_curve(
    axes: Any, seeds: Sequence[tuple[tuple[int, ...], Curve | None]], look: dict[str, Any]
) -> None:
    """Draw the mean over the seeds at the steps that all of them logged, and their range."""
    measured = [dict(zip(steps, curve, strict=True)) for steps, curve in seeds if curve]
    if not measured:
        return
    shared = [step for step in measured[0] if all(step in seed for seed in measured)]
    values = np.array([[_number(seed[step]) for step in shared] for seed in measured])
    means, colour = values.mean(0), look["color"]
    lone = lone_places(means.tolist())
    marks: dict[str, Any] = {"marker": "o", "markersize": 2.5, "markevery": lone} if lone else {}
    axes.plot(shared, means, **look, linewidth=0.9, **marks)
    if len(measured) > 1:
        low, high = values.min(0), values.max(0)
        axes.fill_between(shared, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.vlines(np.take(shared, lone), low[lone], high[lone], color=colour, linewidth=0.9)


def _number(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else math.nan


def _shade(axes: Any, seeds: Sequence[TrainingCurves]) -> None:
    for seed in seeds:
        for start, end in seed.clamped:
            axes.axvspan(start, end, color=_CLAMPED, alpha=0.35 / len(seeds), linewidth=0)


def _objective_looks(runs: Runs, found: Sequence[_Training]) -> dict[str, dict[str, Any]]:
    """Return the colour and the dashes of each objective, the natural one first."""
    names = dict.fromkeys(
        name for training in found for seed in training.seeds for name in seed.losses
    )
    looks = runs.group.looks
    each = {n: looks.of_objective(n) for n in sorted(names, key=lambda name: name != NATURAL)}
    return {name: {"color": look.colour, "linestyle": look.dash} for name, look in each.items()}


def _handles(looks: Mapping[str, dict[str, Any]], found: Sequence[_Training]) -> list[Any]:
    handles: list[Any] = [
        Line2D([], [], label=name, **look, linewidth=1.1) for name, look in looks.items()
    ]
    if any(seed.clamped for training in found for seed in training.seeds):
        handles.append(Patch(color=_CLAMPED, alpha=0.35, linewidth=0, label="r out of reach"))
    return handles


def _caption(found: Sequence[_Training], absent: Sequence[str]) -> str:
    seeds = sorted({len(training.seeds) for training in found if len(training.seeds) > 1})
    words = [
        "Losses are measured on training batches, and only if the scalarizer needs them. "
        "Weights multiply the objectives."
    ]
    if seeds:
        counts = " or ".join(map(str, seeds))
        words.append(f"Means over {counts} seeds; bands: from the lowest seed to the highest.")
    averaged = max(seed.averaged for training in found for seed in training.seeds)
    if averaged > 1:
        words.append(f"Each point is a mean over up to {averaged} logged steps.")
    if any(seed.clamped for training in found for seed in training.seeds):
        words.append(f"Shaded: {REACH_TEXT.partition(':')[0]}, the darker the more seeds.")
    words += absent[:3]
    return " ".join(words)
