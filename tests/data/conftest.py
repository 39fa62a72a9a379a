"""Small trees of real image files, written by the tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def picture(seed: int, width: int = 20, height: int = 16, mode: str = "RGB") -> Image.Image:
    """A smooth picture that its seed decides: JPEG keeps it nearly as it is."""
    draw = np.random.default_rng(seed)
    corners = draw.integers(0, 256, (2, 2, 3), dtype=np.uint8)
    image = Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR)
    return image.convert(mode)


@pytest.fixture
def write_tree(tmp_path: Path) -> Callable[..., Path]:
    def write(categories: dict[str, int], folder: str = "pictures", **picture_of: object) -> Path:
        root = tmp_path / folder
        for number, (category, count) in enumerate(categories.items()):
            (root / category).mkdir(parents=True, exist_ok=True)
            for image in range(count):
                seed = 1000 * number + image
                made = picture(seed, **picture_of)  # type: ignore[arg-type]
                made.save(root / category / f"{number:03d}_{image:04d}.jpg", quality=95)
        return root

    return write
