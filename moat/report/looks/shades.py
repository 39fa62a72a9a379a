"""Shades of a colour that stay legible: from light to dark on white, and on a dark page."""

from matplotlib.colors import to_hex, to_rgb

_LIGHTEST = 0.3  # luminance: a contrast of 3 to 1 against white
_DARKEST = 0.5  # share of black at a sweep's dark end
_ON_DARK = 0.2  # luminance: a contrast of more than 4 to 1 against the dark page


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with a share of another in it, as a hexadecimal number.

    Example:
        >>> mixed("#000000", "#FFFFFF", 0.2)
        '#333333'
    """
    one, two = to_rgb(colour), to_rgb(other)
    red, green, blue = ((1 - share) * a + share * b for a, b in zip(one, two, strict=True))
    return to_hex((red, green, blue))


def luminance(colour: str) -> float:
    """Return how bright a colour is, from 0 to 1.

    Source: Web Content Accessibility Guidelines 2.2, relative luminance.
    """
    linear = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(colour))
    red, green, blue = linear
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def shaded(colour: str, share: float) -> str:
    """Return a shade of a colour: the lightest that white bears at 0, a dark one at 1."""
    light = _lightened(colour, _LIGHTEST, below=True)
    return mixed(light, mixed(colour, "black", _DARKEST), share)


def on_dark(colour: str) -> str:
    """Return the colour as the dark page bears it: lighter, where it would be lost there."""
    return _lightened(colour, _ON_DARK, below=False)


def _lightened(colour: str, to: float, *, below: bool) -> str:
    """Return a colour with as little white as reaches a luminance, or as much as stays below."""
    steps = [mixed(colour, "white", share / 100) for share in range(100)]
    if below:
        return next((c for c in reversed(steps) if luminance(c) <= to), colour)
    return next(c for c in steps if luminance(c) >= to)
