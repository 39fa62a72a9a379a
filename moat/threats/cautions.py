"""Python warnings of likely mistakes: wide radii, channels last, logits of NaN."""

import sys
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from torch import nn

from moat.errors import MoatWarning
from moat.threats.logits import looks_channels_last

Shape = tuple[int, int, int]
"""Channel, height and width of an image."""
GREY_LEVELS = 255


class WideNumber(NamedTuple):
    """A number of a threat that is too large to make sense: its key, its effect, the mend."""

    key: str
    number: float
    what: str
    mend: str
    in_levels: bool = False  # whether it may count grey levels
    usual: str = ""  # a usual number in its place


NumberLook = Callable[[Any, Shape | None, float], Iterable[WideNumber]]
"""From a threat, the shape of its images and its largest share of its radii to wide numbers."""

_LOOKS: list[NumberLook] = []
_TOLD_ELSEWHERE: ContextVar[bool] = ContextVar("radii are told elsewhere", default=False)
_SEEN: dict[int, tuple["weakref.ref[Any]", set[Shape | None]]] = {}
"""By its id, each threat with the shapes that it was looked at for; None of one that is told."""


_WARNED: dict[int, "weakref.ref[nn.Module]"] = {}
"""By its id, each network that images with channels last were warned of."""


def number_look(look: NumberLook) -> NumberLook:
    """Declare a look at the numbers of a threat; the file that knows the threats has them."""
    _LOOKS.append(look)
    return look


@contextmanager
def told_elsewhere() -> Iterator[None]:
    """Warn of nothing inside: for a recipe, which is looked at before it runs, and for the kit."""
    token = _TOLD_ELSEWHERE.set(True)
    try:
        yield
    finally:
        _TOLD_ELSEWHERE.reset(token)


def warn_of_wide_radii(
    threats: Mapping[str, Any],
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


def warn_of_channels_last(network: nn.Module, shape: torch.Size) -> None:
    """Warn, once a network, of images that look like (batch, height, width, channel).

    A convolution fails on them. A network that flattens its images takes them, and flows and
    rotations then warp rows and channels.
    """
    if _TOLD_ELSEWHERE.get() or not looks_channels_last(shape) or id(network) in _WARNED:
        return
    key = id(network)
    _WARNED[key] = weakref.ref(network, lambda _: _WARNED.pop(key, None))
    warnings.warn(
        f"the images of the shape {tuple(shape)} look like (batch, height, width, channel), and "
        f"are taken as (batch, channel, height, width): use x.permute(0, 3, 1, 2), for an array "
        f"x.transpose(0, 3, 1, 2).",
        MoatWarning,
        stacklevel=_outside(),
    )


def warn_of_infinite_logits(infinite: int, images: str) -> None:
    """Warn of a network whose logits are not finite for some images, such as "4 image(s)"."""
    if infinite and not _TOLD_ELSEWHERE.get():
        warnings.warn(
            f"the model returns logits that are not finite (NaN or infinite) for {infinite} of "
            f"{images}, which count as misclassified. Look for weights that diverged, a "
            "division by 0, or the logarithm of 0.",
            MoatWarning,
            stacklevel=_outside(),
        )


def _as_shape(shape: torch.Size | None) -> Shape | None:
    return None if shape is None else (shape[0], shape[1], shape[2])


def _warn_once(threat: Any, shape: Shape | None, largest: float) -> None:
    key = id(threat)
    if key not in _SEEN:
        _SEEN[key] = weakref.ref(threat, lambda _: _SEEN.pop(key, None)), set()
    _, shapes = _SEEN[key]
    if shape in shapes or None in shapes:
        return
    shapes.add(shape or (0, 0, 0))
    wide: list[WideNumber] = []
    with suppress(Exception):  # of a plug-in whose balls are of its own kind
        wide = [number for look in _LOOKS for number in look(threat, shape, largest)]
    for number in wide:
        shapes.add(None)
        warnings.warn(_text(threat, number), MoatWarning, stacklevel=_outside())


def _text(threat: Any, wide: WideNumber) -> str:
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
    """Say whether a frame is of moat, of what it is called through, or checks shapes under test."""
    through = ("torch", "contextlib", "jaxtyping", "beartype")
    return module is None or module.partition(".")[0] in ("moat", *through)
