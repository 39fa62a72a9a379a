"""Legible shades of a colour: from light to dark on white, and on a dark page."""

from functools import lru_cache

_LIGHTEST = 0.3  # luminance: a contrast of 3 to 1 against white
_DARKEST = 0.5  # share of black at a sweep's dark end
_ON_DARK = 0.2  # luminance: a contrast of more than 4 to 1 against the dark page


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with a share of another in it, as a hexadecimal number.

    Example:
        >>> mixed("#000000", "#FFFFFF", 0.2)
        '#333333'
    """
    both = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(255 * ((1 - share) * a + share * b)):02x}" for a, b in both)


@lru_cache
def luminance(colour: str) -> float:
    """Return how bright a colour is, from 0 to 1.

    Source: Web Content Accessibility Guidelines 2.2, relative luminance.
    """
    linear = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in _parts(colour))
    red, green, blue = linear
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def shaded(colour: str, share: float) -> str:
    """Return a shade of a colour: the lightest that white bears at 0, a dark one at 1."""
    light = _lightened(colour, _LIGHTEST, below=True)
    return mixed(light, mixed(colour, "#000000", _DARKEST), share)


def on_dark(colour: str) -> str:
    """Return the colour as the dark page bears it: lighter, where it would be lost there."""
    return _lightened(colour, _ON_DARK, below=False)


@lru_cache
def _lightened(colour: str, to: float, *, below: bool) -> str:
    """Return a colour with as little white as reaches a luminance, or as much as stays below."""
    steps = [mixed(colour, "#ffffff", share / 100) for share in range(100)]
    if below:
        return next((c for c in reversed(steps) if luminance(c) <= to), colour)
    return next(c for c in steps if luminance(c) >= to)


def _parts(colour: str) -> tuple[float, ...]:
    """Return red, green and blue of a hexadecimal number, each from 0 to 1."""
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
