"""Galleries for the page: small pictures within a budget of bytes, and points for arrows."""

import base64
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moat.records import Gallery, ProtocolRecord, ThreatRecord
from moat.storage import Record

BUDGET = 5_500_000
"""Characters that all pictures of a page may take, so that 60 runs stay below 10 MB."""
LARGEST_SIDE = 96
"""Pixels of a side above which a picture is made smaller, and kept with a small loss."""
MOST_POINTS = 10
"""Points of a side that are drawn over a picture."""
SCALE = 1000
"""A picture is so many units wide and high for what is drawn over it."""


class Pictures:
    """Pictures as the page carries them, each once however often it is shown."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self._places: dict[bytes, int] = {}

    def add(self, image: NDArray[np.uint8]) -> int:
        """Keep a picture (channels, height, width) and return its place."""
        key = image.tobytes() + str(image.shape).encode()
        if key not in self._places:
            self._places[key] = len(self.urls)
            self.urls.append(_url(image))
        return self._places[key]

    @property
    def size(self) -> int:
        """The number of their characters."""
        return sum(map(len, self.urls))

    def cut(self, count: int) -> None:
        """Forget all but the first so many."""
        del self.urls[count:]


def shown_galleries(
    galleries: Mapping[str, Gallery],
    protocols: Mapping[str, ProtocolRecord],
    budget: int = BUDGET,
) -> tuple[dict[str, Record], list[str]]:
    """Return each gallery as data for the page, by its run's folder, and all their pictures.

    Every gallery shows the same count of its first images: all, or as many as the budget allows.
    """
    pictures, most = Pictures(), max([0, *(len(g.ids) for g in galleries.values())])
    shown = {w: _frame(gallery, protocols[w]) for w, gallery in galleries.items()}
    for example in range(most):
        before = len(pictures.urls)
        rows = {
            where: _example(gallery, example, shown[where]["threats"], pictures)
            for where, gallery in galleries.items()
            if example < len(gallery.ids)
        }
        if example and pictures.size > budget:
            pictures.cut(before)
            break
        for where, row in rows.items():
            shown[where]["images"].append(row)
    return shown, pictures.urls


def _frame(gallery: Gallery, protocol: ProtocolRecord) -> Record:
    """Return what all images of a gallery share."""
    height, width = gallery.images.shape[2:]
    threats = []
    for place, name in enumerate(gallery.threats.tolist()):
        still = bool(np.isnan(gallery.displacements[place]).all())
        threat = protocol.threats.get(name, ThreatRecord())
        strength = threat.written(gallery.strengths[place])
        factor = _factor(gallery, place) if still else None
        threats.append({"name": name, "strength": strength, "factor": factor})
    rows, columns = gallery.displacements.shape[2:4]
    reduced = max(height, width) > LARGEST_SIDE
    return {
        **{"across": _places(columns), "down": _places(rows)},
        **{"kept": len(gallery.ids), "height": height, "width": width, "reduced": reduced},
        **{"threats": threats, "images": []},
    }


def _factor(gallery: Gallery, threat: int) -> int:
    """Return how much a difference can be amplified before it leaves the scale."""
    change = gallery.adversarial[threat].astype(np.int16) - gallery.images
    return max(1, 127 // max(1, int(np.abs(change).max())))


def _example(gallery: Gallery, place: int, threats: list[Record], pictures: Pictures) -> Record:
    label = int(gallery.labels[place])
    natural = gallery.images[place]
    row = {
        "id": int(gallery.ids[place]),
        "label": str(gallery.classes[label]),
        "image": pictures.add(natural),
        **_predicted(gallery, int(gallery.predicted[place]), label),
        "threats": [],
    }
    for number, threat in enumerate(threats):
        image = gallery.adversarial[number, place]
        found = int(gallery.adversarial_predicted[number, place])
        made = {"image": pictures.add(image), **_predicted(gallery, found, label)}
        if threat["factor"] is None:
            made["offsets"] = _offsets(gallery.displacements[number, place])
        else:
            change = image.astype(np.int16) - natural
            amplified = np.clip(128 + threat["factor"] * change, 0, 255).astype(np.uint8)
            made["difference"] = pictures.add(amplified)
        row["threats"].append(made)
    return row


def _predicted(gallery: Gallery, found: int, label: int) -> Record:
    return {"predicted": str(gallery.classes[found]), "right": found == label}


def _places(count: int) -> list[int]:
    """Return where the points lie that are drawn, of so many on a side."""
    return [round((place + 0.5) / count * SCALE) for place in _few(count)]


def _offsets(displacements: NDArray[np.float32]) -> list[int | None]:
    """Return how far from its place each drawn point is read: across, down, and so on."""
    rows, columns = displacements.shape[:2]
    drawn = displacements[np.ix_(_few(rows), _few(columns))] / 2  # a picture is 2 grid units wide
    finite = np.isfinite(drawn)
    moved = np.rint(np.where(finite, drawn, 0) * SCALE).astype(int).ravel().tolist()
    known = finite.ravel().tolist()
    return [value if there else None for value, there in zip(moved, known, strict=True)]


def _few(count: int) -> list[int]:
    """Return evenly spaced places among so many."""
    picked = np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(int)
    return list(map(int, picked))


def _url(image: NDArray[np.uint8]) -> str:
    """Return a picture as a data URL: PNG as it is, a large one reduced, as WebP."""
    pixels = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    file, large = io.BytesIO(), max(picture.size) > LARGEST_SIDE
    if large:
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
        picture.save(file, "WEBP", quality=85)
    else:
        picture.save(file, "PNG", optimize=True)
    kind = "webp" if large else "png"
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
