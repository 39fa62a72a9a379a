"""gallery.npz: a few test images, and the images that an evaluation's searches found."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Gallery:
    """n test images and their versions under t threats; labels and predictions index `classes`.

    Convention: images are (n, channels, height, width), uint8, of one or three channels.
    `adversarial` and `adversarial_predicted` have the threat first: the end of the search at the
    largest strength, of the first restart that felled the example, or else of the last.
    `displacements` (t, n, rows, columns, 2) hold the point read by each of rows × columns points,
    minus its own place, in grid units (the image spans [-1, 1]; [..., 0] is horizontal; the points
    are the centres of equal cells), NaN for a threat that does not move pixels.

    Example:
        >>> n, t = 2, 1
        >>> gallery = Gallery(
        ...     ids=np.array([5, 9]),
        ...     labels=np.array([0, 1]),
        ...     classes=np.array(["cat", "dog"]),
        ...     images=np.zeros((n, 1, 8, 8), np.uint8),
        ...     predicted=np.array([0, 1]),
        ...     threats=np.array(["pgd"]),
        ...     strengths=np.array([20.0]),
        ...     adversarial=np.zeros((t, n, 1, 8, 8), np.uint8),
        ...     adversarial_predicted=np.array([[1, 1]]),
        ...     displacements=np.full((t, n, 4, 4, 2), np.nan, np.float32),
        ... )
        >>> again = Gallery.from_arrays(gallery.arrays())
        >>> again.classes[again.adversarial_predicted[0]].tolist()
        ['dog', 'dog']
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

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays without Python objects, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the gallery from its `arrays`; raise ValueError for other arrays."""
        if missing := [name for name in _SHAPES if name not in arrays]:
            raise ValueError(f"{', '.join(missing)} is missing")
        found = {name: arrays[name] for name in _SHAPES}
        _require_shapes(found)
        classes = range(len(found["classes"]))
        for name in ("labels", "predicted", "adversarial_predicted"):
            if found[name].min() not in classes or found[name].max() not in classes:
                raise ValueError(f"{name} has an entry outside its {len(classes)} classes")
        return cls(**found)


def _require_shapes(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise ValueError where arrays are of other types or shapes than those of a gallery."""
    sizes: dict[str, int] = {"2": 2}
    for name, (kinds, axes) in _SHAPES.items():
        array = arrays[name]
        if array.dtype.kind not in kinds or array.ndim != len(axes):
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
        for axis, size in zip(axes, array.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                raise ValueError(
                    f"{name} is of shape {array.shape}, others have {sizes[axis]} for {axis}"
                )
    if sizes["channels"] not in (1, 3) or 0 in sizes.values():
        raise ValueError(f"images is of shape {arrays['images'].shape}")


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
