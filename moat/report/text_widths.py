"""The width of words in print, for line breaks and for the place of legends."""

from functools import cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from moat.report.style import STYLE, drawn_in

_MORE = " …"


@cache
def inches_of(text: str, size: float) -> float:
    """Return the width of a line in inches, `size` in points."""
    font = FontProperties(family="DejaVu Sans", size=size)
    with drawn_in(STYLE):
        width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Return the text in lines of at most this width, in inches; a longer word stands alone."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and inches_of(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def cut_to(text: str, size: float, width: float) -> str:
    """Return the text, or as much of its beginning as there is room for, and a mark."""
    if inches_of(text, size) <= width:
        return text
    while text and inches_of(text + _MORE, size) > width:
        text = text[:-1]
    return text.rstrip() + _MORE
