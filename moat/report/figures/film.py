"""Adversarial examples as a film: every iterate of each search, as APNG or GIF."""

from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from moat.errors import PlotError
from moat.names import NATURAL
from moat.records import Analysis
from moat.report.looks.palette import OBJECTIVES

FILM_FORMATS = ("apng", "gif")
_SIDE = 96  # pixels that an image takes at least
_EDGE, _HEAD, _FOOT = 8, 34, 16
_STEP, _LAST = 150, 1500  # milliseconds
_WRONG = "#D55E00"


def film_of(analysis: Analysis, format: str) -> bytes:
    """Return a film of the searches of an analysis of examples: a frame for each iterate.

    A row for each example of a model, a column for each threat; the border of an image marks a
    wrong answer, and so the iterate at which the prediction flips. PlotError for an
    analysis without iterates.
    """
    if "film" not in analysis.arrays:
        raise PlotError(
            "the analysis has no iterates of its searches, so no film.",
            hint="moat analyze examples RUN --animate keeps them.",
        )
    count = len(analysis.coordinates("iterate"))
    frames = [_frame(analysis, iterate, count) for iterate in range(count)]
    durations = [_STEP] * (count - 1) + [_LAST]
    file = BytesIO()
    more: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "loop": 0}
    kind = "PNG" if format == "apng" else "GIF"
    frames[0].save(file, format=kind, duration=durations, **more)
    return file.getvalue()


def _frame(analysis: Analysis, iterate: int, count: int) -> Image.Image:
    threats = [str(one) for one in analysis.coordinates("threat")]
    scale = max(1, -(-_SIDE // max(analysis["image"].shape[-2:])))
    height, width = (scale * side for side in analysis["image"].shape[-2:])
    rows = [(m, e) for m in range(len(analysis.subjects)) for e in range(len(analysis["label"]))]
    several = _FOOT if len(analysis.subjects) > 1 else 0
    tops = [
        _HEAD + place * (height + _FOOT + _EDGE) + (model + 1) * several
        for place, (model, _) in enumerate(rows)
    ]
    size = (_EDGE + (1 + len(threats)) * (width + _EDGE), tops[-1] + height + _FOOT + _EDGE)
    frame = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(frame), _font(11)
    names = ", ".join(one.name for one in analysis.subjects)
    draw.text((_EDGE, 3), f"{names}: frame {iterate} of {count - 1}", "black", font)
    for (model, example), top in zip(rows, tops, strict=True):
        if several and not example:
            draw.text((_EDGE, top - _FOOT - 2), analysis.subjects[model].name, "black", font)
    for column, name in enumerate([NATURAL, *threats]):
        left = _EDGE + column * (width + _EDGE)
        step = "" if not column else f" {analysis['film_step'][0, column - 1, iterate, 0]}"
        draw.text((left, 18), name + step, _colour(name), font)
        for (model, example), top in zip(rows, tops, strict=True):
            place = (left, top)
            image, predicted, confidence = _cell(analysis, model, column - 1, iterate, example)
            frame.paste(image.resize((width, height), Image.Resampling.NEAREST), place)
            wrong = predicted != int(analysis["label"][example])
            if wrong:
                box = (place[0] - 3, place[1] - 3, left + width + 2, place[1] + height + 2)
                draw.rectangle(box, outline=_WRONG, width=3)
            text = f"{analysis['class'][predicted]} ({confidence:.0f} %)"
            draw.text((left, place[1] + height + 3), text, _WRONG if wrong else "black", font)
    return frame


def _cell(
    analysis: Analysis, model: int, threat: int, iterate: int, example: int
) -> tuple[Image.Image, int, float]:
    """Return an image, the predicted class and its confidence; threat -1 is the natural image."""
    at: tuple[int, ...] = (model, threat, iterate, example)
    prefix = "film"
    if threat < 0:
        at, prefix = (model, example), "natural"
    pixels = analysis["image"][example] if threat < 0 else analysis["film"][at]
    shown = pixels.transpose(1, 2, 0).astype(np.uint8)
    image = Image.fromarray(shown[..., 0] if shown.shape[2] == 1 else shown).convert("RGB")
    predicted = int(analysis[f"{prefix}_predicted"][at])
    return image, predicted, float(analysis[f"{prefix}_confidence"][at])


def _colour(name: str) -> str:
    return OBJECTIVES.looks_of([name])[name].colour


def _font(size: int) -> Any:
    return ImageFont.truetype(
        str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size
    )
