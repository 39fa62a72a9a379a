import io

import pytest
from matplotlib.figure import Figure
from PIL import Image

from moat.report.style import render


@pytest.mark.parametrize("size", [(3.4, 700), (700, 3.4), (150, 150)])
def test_a_picture_that_is_too_large_for_a_png_is_coarser(size):
    with Image.open(io.BytesIO(render(Figure(figsize=size), "png"))) as picture:
        assert max(picture.size) < 2**16
        assert picture.width / picture.height == pytest.approx(size[0] / size[1], rel=0.02)
