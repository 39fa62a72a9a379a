import base64
import io

import numpy as np
import pytest
from PIL import Image

from moat.records import Gallery, ProtocolRecord
from moat.report.page.pictures import SCALE, Pictures, shown_galleries

PROTOCOL = ProtocolRecord.model_validate(
    {"threats": {"pgd": {"at_epsilon": [0.1]}, "flow": {"at_steps": [1, 4]}}, "summed": []}
)


def pixels(url):
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
        return np.array(image)


def shown(arrays, **budget):
    galleries, urls = shown_galleries({"run": Gallery(**arrays)}, {"run": PROTOCOL}, **budget)
    return galleries["run"], urls


@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_picture_keeps_every_pixel(gallery, channels):
    arrays = gallery(2, channels, 8)
    data, urls = shown(arrays)
    image = arrays["images"][1]
    expected = image[0] if channels == 1 else image.transpose(1, 2, 0)
    assert (pixels(urls[data["images"][1]["image"]]) == expected).all()
    assert not data["reduced"]


def test_a_large_picture_is_made_smaller(gallery):
    data, urls = shown(gallery(1, 3, 224))
    assert data["reduced"]
    assert {pixels(url).shape for url in urls} == {(96, 96, 3)}
    assert all(url.startswith("data:image/webp;") for url in urls)


def test_a_picture_that_is_shown_twice_is_kept_once():
    pictures, image = Pictures(), np.zeros((1, 4, 4), np.uint8)
    assert [pictures.add(image), pictures.add(image + 1), pictures.add(image)] == [0, 1, 0]
    assert pictures.add(np.zeros((1, 2, 8), np.uint8)) == 2  # the same bytes, another shape


def test_the_difference_is_amplified_about_grey_until_it_fills_the_scale(gallery):
    arrays = gallery(1, 1, 8, threats=[("pgd", 0.1)])
    arrays["images"][:] = 100
    arrays["adversarial"][:] = 100
    arrays["adversarial"][0, 0, 0, 0, :2] = (110, 95)
    data, urls = shown(arrays)
    assert data["threats"] == [{"name": "pgd", "strength": "ε 0.1", "factor": 12}]
    difference = pixels(urls[data["images"][0]["threats"][0]["difference"]])
    assert difference[0, :3].tolist() == [128 + 120, 128 - 60, 128]


def test_a_threat_that_changed_nothing_has_a_grey_difference(gallery):
    arrays = gallery(1, 1, 8, threats=[("pgd", 0.1)])
    arrays["adversarial"][0] = arrays["images"]
    data, urls = shown(arrays)
    assert (pixels(urls[data["images"][0]["threats"][0]["difference"]]) == 128).all()


def test_offsets_are_shares_of_the_picture_across_then_down(gallery):
    arrays = gallery(1, 1, 8, threats=[("flow", 4.0)], cells=2)
    arrays["displacements"][:] = [0.5, -0.1]  # grid units: the picture is two wide
    arrays["displacements"][0, 0, 1, 1] = np.nan
    data, _ = shown(arrays)
    assert (data["across"], data["down"]) == ([250, 750], [250, 750])
    moved = [SCALE // 4, -SCALE // 20]
    assert data["images"][0]["threats"][0]["offsets"] == [*moved * 3, None, None]


def test_of_many_points_some_are_drawn(gallery):
    arrays = gallery(1, 1, 8, threats=[("flow", 1.0)], cells=32)
    data, _ = shown(arrays)
    assert len(data["across"]) == 10
    assert (data["across"][0], data["across"][-1]) == (16, 984)
    assert len(data["images"][0]["threats"][0]["offsets"]) == 200
    assert data["threats"][0]["strength"] == "1 step"


def test_predictions_are_right_or_wrong_by_name(gallery):
    data, _ = shown(gallery(2, 1, 8))
    first = data["images"][1]
    assert (first["id"], first["label"], first["predicted"], first["right"]) == (
        7,
        "dog",
        "dog",
        True,
    )
    told = [(made["predicted"], made["right"]) for made in first["threats"]]
    assert told == [("dog", True), ("ship", False), ("cat", False), ("dog", True)]


def test_no_more_images_are_shown_than_the_budget_allows_but_one_always_is(gallery):
    every, urls = shown(gallery(5, 1, 8))
    assert (len(every["images"]), every["kept"]) == (5, 5)
    size = sum(map(len, urls))
    some, fewer = shown(gallery(5, 1, 8), budget=size // 2)
    assert 1 < len(some["images"]) < 5
    assert some["kept"] == 5
    assert sum(map(len, fewer)) <= size // 2
    assert len(shown(gallery(5, 1, 8), budget=0)[0]["images"]) == 1


def test_every_run_shows_as_many_images_as_the_others(gallery):
    galleries = {name: Gallery(**gallery(n, seed=n)) for name, n in (("a", 2), ("b", 4))}
    found, _ = shown_galleries(galleries, dict.fromkeys(galleries, PROTOCOL))
    assert [len(found[name]["images"]) for name in "ab"] == [2, 4]
    found, _ = shown_galleries(galleries, dict.fromkeys(galleries, PROTOCOL), budget=60_000)
    assert [len(found[name]["images"]) for name in "ab"] == [1, 1]


def test_without_galleries_there_are_no_pictures():
    assert shown_galleries({}, {}) == ({}, [])
