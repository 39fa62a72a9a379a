"""Labels beside their points without overlap: a small greedy placement."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_DISTANCES = np.array([7, 10, 14, 20, 28, 38, 50, 65, 85, 110])
_ROUNDS = 3


def place_labels(anchors: Array, sizes: Array, frame: Array, lines: Array) -> Array:
    """Return a centre for each label, of shape (labels, 2).

    Each label takes in its turn the cheapest place on rings about its point: what it covers, of
    other labels above all, costs most, a leader across another label much, distance a little.
    Two more rounds let early labels react to late ones. Equal input gives equal places.

    Convention: all in one unit (points of print). `anchors` (labels, 2); `sizes` (labels, 2) are
    widths and heights; `frame` and each of the `lines` are boxes (left, bottom, right, top).
    """
    turn = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1)
    far = np.repeat(_DISTANCES, len(turn))
    dots = _boxes(anchors, np.full_like(anchors, 10.0))
    centres, placed = anchors.copy(), np.zeros(len(anchors), dtype=bool)
    for _ in range(_ROUNDS):
        for i, (anchor, size) in enumerate(zip(anchors, sizes, strict=True)):
            reach = _DISTANCES[:, None, None] + np.abs(turn) * (size / 2)
            places = (anchor + turn * reach).reshape(-1, 2)
            boxes = _boxes(places, np.broadcast_to(size + 2, places.shape))
            placed[i] = False
            labels = _boxes(centres[placed], sizes[placed])
            leaders = _between(anchors[placed], centres[placed]).reshape(-1, 2)
            cost = far + 20 * _overlap(boxes, labels).sum(1)
            cost += 10 * _overlap(boxes, dots).sum(1) + 2 * _overlap(boxes, lines).sum(1)
            cost += 50 * (np.prod(size + 2) - _overlap(boxes, frame[None]).sum(1))
            cost += 30 * _inside(leaders, boxes).sum(0)
            way = _between(anchor, places).reshape(-1, 2)
            away = ~_inside(way, dots[i : i + 1])[:, 0]
            crossed = _inside(way, labels).any(1) | (_inside(way, dots).any(1) & away)
            cost += 60 * crossed.reshape(len(places), -1).sum(1)
            gaps = _gaps(boxes, anchors)
            cost += 30 * (gaps.min(1) < gaps[:, i])  # it would be read as another point's
            centres[i], placed[i] = places[cost.argmin()], True
    return centres


def need_leaders(anchors: Array, sizes: Array, centres: Array) -> NDArray[np.bool_]:
    """Return which labels are far from their points, or about as near to another's."""
    gaps = _gaps(_boxes(centres, sizes), anchors)
    own = gaps.diagonal().copy()
    np.fill_diagonal(gaps, np.inf)
    return np.asarray((own > 9) | ((own > 7.5) & (gaps.min(1) < own + 3)))


def _boxes(centres: Array, sizes: Array) -> Array:
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], 1)


def _between(anchors: Array, centres: Array) -> Array:
    """Return points along the way from an anchor to its label, of shape (labels, points, 2)."""
    way = np.linspace(0.1, 0.9, 7)[:, None]
    points: Array = np.atleast_2d(anchors)[:, None] * (1 - way) + centres[:, None] * way
    return points


def _inside(points: Array, boxes: Array) -> NDArray[np.bool_]:
    """Return which points lie in which boxes, of shape (points, boxes)."""
    (x, y), (left, bottom, right, top) = points.T[..., None], boxes.T
    return np.asarray((x > left) & (x < right) & (y > bottom) & (y < top))


def _overlap(boxes: Array, others: Array) -> Array:
    """Return the common areas, of shape (boxes, others)."""
    one, two = boxes.T[..., None], others.T
    wide = np.clip(np.minimum(one[2], two[2]) - np.maximum(one[0], two[0]), 0, None)
    high = np.clip(np.minimum(one[3], two[3]) - np.maximum(one[1], two[1]), 0, None)
    return np.asarray(wide * high)


def _gaps(boxes: Array, points: Array) -> Array:
    """Return how far points lie from boxes, 0 inside them, of shape (boxes, points)."""
    (left, bottom, right, top), (x, y) = boxes.T[..., None], points.T
    wide = np.clip(np.maximum(left - x, x - right), 0, None)
    high = np.clip(np.maximum(bottom - y, y - top), 0, None)
    return np.asarray(np.hypot(wide, high))
