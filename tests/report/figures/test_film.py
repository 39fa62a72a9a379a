from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from moat.errors import PlotError
from moat.report.figures.film import film_of


@pytest.mark.parametrize("format", ["apng", "gif"])
@pytest.mark.parametrize("kind", ["examples", "examples in colour"])
def test_a_film_has_a_frame_an_iterate_and_rests_at_the_last(made_up, kind, format):
    content = film_of(made_up(kind), format)
    film = Image.open(BytesIO(content))
    assert film.n_frames == 3
    durations = []
    for frame in range(film.n_frames):
        film.seek(frame)
        durations.append(film.info["duration"])
    assert durations == [150, 150, 1500]
    assert content == film_of(made_up(kind), format)


def test_a_frame_shows_the_iterate_pixel_by_pixel(made_up):
    analysis = made_up("examples")
    film = Image.open(BytesIO(film_of(analysis, "apng")))
    film.seek(1)
    frame = np.asarray(film.convert("L"))
    side = 96  # 8 pixels, each 12 wide
    top, left = 34 + 16, 8 + side + 8  # below head and name; beside the natural image
    shown = frame[top : top + side : 12, left : left + side : 12]
    np.testing.assert_array_equal(shown, analysis["film"][0, 0, 1, 0, 0])


def test_an_analysis_without_iterates_has_no_film(made_up):
    with pytest.raises(PlotError) as refused:
        film_of(made_up("transfer"), "gif")
    assert str(refused.value) == (
        "the analysis has no iterates of its searches, so no film.\n"
        "  moat analyze examples RUN --animate keeps them."
    )
