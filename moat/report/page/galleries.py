"""The images that an evaluation kept, once they are looked at: no file is trusted unseen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moat.errors import RunFolderError
from moat.runs import RunFolder


@dataclass(frozen=True, eq=False)
class Gallery:
    """n test images, and what t threats made of each; labels and predictions index `classes`.

    Convention: images are (n, channels, height, width), uint8, of one or three channels;
    `displacements` (t, n, rows, columns, 2) hold where each of rows × columns points reads the
    image, less its own place, in grid units (the image spans [-1, 1]; [..., 0] is horizontal; the
    points are the centres of equal cells), NaN where a threat moves nothing.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: NDArray[np.str_]
    images: NDArray[np.uint8]
    predicted: NDArray[np.int64]
    threats: NDArray[np.str_]
    strengths: NDArray[np.float64]
    adversarial: NDArray[np.uint8]
    adversarial_predicted: NDArray[np.int64]
    displacements: NDArray[np.float32]


def read_gallery(folder: RunFolder, protocol_hash: str = "") -> Gallery | None:
    """Return a run's gallery, None where there is none; RunFolderError where it is not moat's.

    An evaluation that was cut short may have left one of another protocol: that is none.
    """
    arrays = folder.load_gallery()
    if arrays is None:
        return None
    if str(arrays.get("protocol_hash", protocol_hash)) != protocol_hash:
        return None
    if wrong := _wrong(arrays):
        raise RunFolderError(
            f"its gallery is not moat's: {wrong}.",
            where=str(folder.path / "gallery.npz"),
            hint="`moat evaluate` with this folder makes it anew.",
        )
    return Gallery(**{name: arrays[name] for name in _SHAPES})


def _wrong(arrays: dict[str, NDArray[Any]]) -> str:
    """Return what is wrong with the arrays, nothing where they are a gallery's."""
    if missing := [name for name in _SHAPES if name not in arrays]:
        return f"{', '.join(missing)} is missing"
    sizes: dict[str, int] = {"2": 2}
    for name, (kinds, axes) in _SHAPES.items():
        array = arrays[name]
        if array.dtype.kind not in kinds or array.ndim != len(axes):
            return f"{name} is {array.dtype} of shape {array.shape}"
        for axis, size in zip(axes, array.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                return f"{name} is of shape {array.shape}, others have {sizes[axis]} for {axis}"
    if sizes["channels"] not in (1, 3) or 0 in sizes.values():
        return f"images is of shape {arrays['images'].shape}"
    classes = range(sizes["classes"])
    for name in ("labels", "predicted", "adversarial_predicted"):
        if arrays[name].min() not in classes or arrays[name].max() not in classes:
            return f"{name} holds what is none of {len(classes)} classes"
    return ""


_IMAGES = ("channels", "height", "width")
_SHAPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "ids": ("iu", ("images",)),
    "labels": ("iu", ("images",)),
    "classes": ("U", ("classes",)),
    "images": ("u", ("images", *_IMAGES)),
    "predicted": ("iu", ("images",)),
    "threats": ("U", ("threats",)),
    "strengths": ("f", ("threats",)),
    "adversarial": ("u", ("threats", "images", *_IMAGES)),
    "adversarial_predicted": ("iu", ("threats", "images")),
    "displacements": ("f", ("threats", "images", "rows", "columns", "2")),
}
