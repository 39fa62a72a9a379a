"""Python warnings of threats whose numbers hardly anybody means, each threat once."""

import sys
import warnings
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar

import torch

from moat.errors import MoatWarning
from moat.threats.base import Threat
from moat.threats.radii import GREY_LEVELS, Shape, WideNumber, long_steps, wide_radii

_TOLD_ELSEWHERE: ContextVar[bool] = ContextVar("radii are told elsewhere", default=False)
_SEEN: dict[int, tuple["weakref.ref[Threat]", set[Shape | None]]] = {}
"""By its id, each threat with the shapes that it was looked at for; None of one that is told."""


@contextmanager
def told_elsewhere() -> Iterator[None]:
    """Warn of nothing inside: for a recipe, which is looked at before it runs, and for the kit."""
    token = _TOLD_ELSEWHERE.set(True)
    try:
        yield
    finally:
        _TOLD_ELSEWHERE.reset(token)


def warn_of_wide_radii(
    threats: Mapping[str, Threat],
    shape: torch.Size | None = None,
    largest: Mapping[str, float] | None = None,
) -> None:
    """Warn of radii on the scale of the image, such as 8 in place of 8 / 255, and of long steps.

    `shape` is (channel, height, width), where it is known; `largest` has how many radii of its own
    a threat is searched at. Each threat is warned of once, at the line that handed it over.
    """
    if not _TOLD_ELSEWHERE.get():
        for label, threat in threats.items():
            _warn_once(threat, _as_shape(shape), (largest or {}).get(label, 1.0))


def _as_shape(shape: torch.Size | None) -> Shape | None:
    return None if shape is None else (shape[0], shape[1], shape[2])


def _warn_once(threat: Threat, shape: Shape | None, largest: float) -> None:
    key = id(threat)
    if key not in _SEEN:
        _SEEN[key] = weakref.ref(threat, lambda _: _SEEN.pop(key, None)), set()
    _, shapes = _SEEN[key]
    if shape in shapes or None in shapes:
        return
    shapes.add(shape or (0, 0, 0))
    wide: list[WideNumber] = []
    with suppress(Exception):  # of a plug-in whose balls are of its own kind
        wide = [*wide_radii(threat, shape, largest), *long_steps(threat, shape)]
    for number in wide:
        shapes.add(None)
        warnings.warn(_text(threat, number), MoatWarning, stacklevel=_outside())


def _text(threat: Threat, wide: WideNumber) -> str:
    mend = wide.mend
    if wide.in_levels:
        fraction = f"{wide.number:g} / {GREY_LEVELS}"
        mend = f"It looks like {wide.number:g} of 255 grey levels: {wide.key}={fraction}."
    return f"{type(threat).__name__}.{wide.key}: {wide.what} {mend}"


def _outside() -> int:
    """Return the stack level, as `warnings.warn` counts it, of the nearest caller outside moat."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__")):
        frame, level = frame.f_back, level + 1
    return level


def _is_inside(module: str | None) -> bool:
    """Say whether a frame is of moat, or of what checks its shapes under test."""
    return module is None or module.partition(".")[0] in ("moat", "jaxtyping", "beartype")
