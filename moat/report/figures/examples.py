"""Adversarial examples: natural beside each threat's image, differences, displacements."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from moat.names import NATURAL
from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.figures.page import PAGE_HEIGHT, not_drawn
from moat.report.layout import SMALL, Panels, lay_out
from moat.report.style import GREY, PAPER, drawn_in
from moat.report.text_widths import cut_to

_GAP = 0.14  # inches below an image, for the answer
_ARROWS = 8  # to a side
_LINES = 15  # of a warped grid, to a side at most


def draw_examples(analysis: Analysis) -> Figure:
    """Return the figure: a column for each threat; images, differences, displacements.

    On one page: where there is no room for all, the first examples of each model, of one model at
    the least.
    """
    threats = [str(one) for one in analysis.coordinates("threat")]
    still = np.isnan(analysis["displacement"]).all(axis=(0, 2, 3, 4, 5))
    kinds = ("image", "difference", *([] if still.all() else ["displacement"]))
    high = len(kinds) * (_side(len(threats)) + _GAP)
    models, examples = _fitting(
        len(analysis.subjects), len(analysis["label"]), int(PAGE_HEIGHT / high)
    )
    others = not_drawn([one.name for one in analysis.subjects], models, "models")
    others += not_drawn([str(one) for one in analysis["example"]], examples, "examples")
    rows = [
        (kind, model, example)
        for model in range(models)
        for example in range(examples)
        for kind in kinds
    ]
    several = len(analysis.subjects) > 1
    with drawn_in(PAPER):
        panels = Panels(
            rows=len(rows),
            columns=1 + len(threats),
            height=_side(len(threats)),
            left=0.14 if several else 0.0,
            below=_GAP,
            between=(0.04, _GAP),
            title=0.16,
        )
        title = ", ".join(one.name for one in analysis.subjects[:models])
        caption = f"{_strengths(analysis)} {caption_of(analysis)}{others}"
        figure, every = lay_out(panels, title, (), caption)
        for place, axes in enumerate(every):
            row, column = divmod(place, len(threats) + 1)
            axes.set_axis_off()
            _draw_cell(axes, analysis, rows[row], column - 1)
            if not row:
                name = threats[column - 1] if column else NATURAL
                axes.set_title(cut_to(name, 6.5, panels.size[0]), fontsize=6.5, pad=2)
            if several and not column and rows[row][0] == "image":
                name = analysis.subjects[rows[row][1]].name
                shown = cut_to(name, SMALL, 2 * panels.size[1])
                where = {"ha": "right", "va": "top", "transform": axes.transAxes}
                axes.text(-0.06, 1, shown, rotation=90, fontsize=SMALL, **where)
    return figure


def _fitting(models: int, examples: int, room: int) -> tuple[int, int]:
    """Return how many models and how many examples of each fill the room for pairs of both."""
    shown = min(examples, max(1, room // models))
    return min(models, max(1, room // shown)), shown


def _strengths(analysis: Analysis) -> str:
    names, strengths = analysis.coordinates("threat"), analysis["strength"].tolist()
    told = [f"{name} {strength}" for name, strength in zip(names, strengths, strict=True)]
    return f"Searches: {', '.join(told)}."


def _side(threats: int) -> float:
    """Return the height of an image, in inches: its width in a column of a paper."""
    return min(0.75, (3.3 - 0.04 * threats) / (threats + 1))


def _draw_cell(axes: Any, analysis: Analysis, row: tuple[str, int, int], threat: int) -> None:
    kind, model, example = row
    natural = analysis["image"][example]
    if threat < 0:
        if kind == "image":
            _show(axes, natural)
            _answer(axes, analysis, model, None, example)
        elif kind == "difference":
            label = str(analysis["class"][analysis["label"][example]])
            text = f"example {analysis['example'][example]}\nlabel {label}"
            axes.text(0, 1, text, fontsize=SMALL, va="top", color=GREY, transform=axes.transAxes)
        return
    image = analysis["adversarial"][model, threat, example]
    moved = analysis["displacement"][model, threat, example]
    if kind == "image":
        _show(axes, image)
        _answer(axes, analysis, model, threat, example)
    elif kind == "difference":
        _show(axes, difference_image(image, natural))
    elif not np.isnan(moved).all():
        _draw_displacement(axes, moved)


def _show(axes: Any, image: NDArray[Any]) -> None:
    shown = image.transpose(1, 2, 0)
    axes.imshow(
        shown[..., 0] if shown.shape[2] == 1 else shown,
        cmap="gray",
        vmin=0,
        vmax=255,
        interpolation="nearest",
    )


def difference_image(image: NDArray[Any], natural: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the change of an image about mid-grey, its largest at black or white.

    Example:
        >>> difference_image(np.array([[[30, 20]]]), np.array([[[20, 20]]])).tolist()
        [[[255, 128]]]
    """
    change = image.astype(np.float64) - natural
    largest = max(1.0, float(np.abs(change).max()))
    scaled = np.clip(np.round(127.5 + 127.5 * change / largest), 0, 255)
    return np.asarray(scaled, dtype=np.uint8)


def _answer(axes: Any, analysis: Analysis, model: int, threat: int | None, example: int) -> None:
    """Write the answer below an image, and frame a wrong one."""
    prefix, at = (
        ("natural_", (model, example)) if threat is None else ("", (model, threat, example))
    )
    predicted = int(analysis[f"{prefix}predicted"][at])
    confidence = float(analysis[f"{prefix}confidence"][at])
    wrong = predicted != int(analysis["label"][example])
    width = axes.get_position().width * axes.figure.get_figwidth()
    tail = f" ({confidence:.0f} %)"
    name = str(analysis["class"][predicted])
    room = width - 0.045 * len(tail)
    axes.text(
        0.5,
        -0.04,
        cut_to(name, SMALL, room) + tail,
        transform=axes.transAxes,
        fontsize=SMALL,
        weight="bold" if wrong else "normal",
        ha="center",
        va="top",
    )
    if wrong:
        axes.set_axis_on()
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set(visible=True, linewidth=1.6, color="#D55E00")


def _draw_displacement(axes: Any, moved: NDArray[Any]) -> None:
    """Draw the grid of the points that are read, and arrows from them to their pixels."""
    height, width = moved.shape[:2]
    across, down = np.meshgrid(_centres(width), _centres(height))
    x, y = across + moved[..., 0], down + moved[..., 1]
    for rows in _some(height, _LINES):
        axes.plot(x[rows], y[rows], color="#9A9A9A", linewidth=0.35)
    for columns in _some(width, _LINES):
        axes.plot(x[:, columns], y[:, columns], color="#9A9A9A", linewidth=0.35)
    picked = np.ix_(_some(height, _ARROWS), _some(width, _ARROWS))
    axes.quiver(
        x[picked],
        y[picked],
        -moved[..., 0][picked],
        -moved[..., 1][picked],
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.012,
        headwidth=3.5,
        headlength=3.5,
        headaxislength=3.2,
        color="#0072B2",
    )
    reach = max(1.05, float(np.abs([x, y]).max()) * 1.02)
    axes.set(xlim=(-reach, reach), ylim=(reach, -reach), aspect="equal")


def _centres(size: int) -> NDArray[np.float64]:
    """Return the centres of pixels in grid units: the image spans [-1, 1]."""
    return (2 * np.arange(size) + 1) / size - 1


def _some(size: int, most: int) -> list[int]:
    """Return at most so many places of a side, evenly, without the outermost where there are more.

    Example:
        >>> _some(28, 7)
        [2, 6, 10, 14, 18, 22, 26]
    """
    if size <= most:
        return list(range(size))
    return [int((place + 0.5) * size / most) for place in range(most)]
