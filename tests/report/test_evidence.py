import re

import numpy as np
import pytest

from moat.errors import RunFolderError
from moat.report.evidence import gallery_of
from moat.runs import RunFolder


def test_a_run_without_a_gallery_has_none(tmp_path):
    assert gallery_of(RunFolder(tmp_path)) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gallery_is_read_as_it_was_kept(hang, tmp_path, gallery, channels):
    run, arrays = RunFolder(tmp_path), gallery(4, channels, 8)
    hang(run, arrays)
    read = gallery_of(run)
    assert (read.images == arrays["images"]).all()
    assert read.threats.tolist() == ["pgd", "flow", "rt", "integrated"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": None}, "labels is missing"),
        ({"images": np.zeros((6, 3, 32, 32))}, "images is float64 of shape (6, 3, 32, 32)"),
        ({"ids": np.zeros((6, 1), int)}, "ids is int64 of shape (6, 1)"),
        ({"ids": np.arange(5)}, "labels is of shape (6,), others have 5 for images"),
        (
            {"adversarial": np.zeros((4, 6, 3, 8, 32), np.uint8)},
            "adversarial is of shape (4, 6, 3, 8, 32), others have 32 for height",
        ),
        ({"predicted": np.full(6, 3)}, "predicted has an entry outside its 3 classes"),
        ({"labels": np.full(6, -1)}, "labels has an entry outside its 3 classes"),
    ],
)
def test_a_gallery_that_is_not_moats_is_refused_with_what_is_wrong(
    hang, tmp_path, gallery, change, said
):
    arrays = {name: array for name, array in (gallery() | change).items() if array is not None}
    run = RunFolder(tmp_path)
    hang(run, arrays)
    with pytest.raises(RunFolderError, match=re.escape(f"its gallery is not moat's: {said}.")):
        gallery_of(run)


@pytest.mark.parametrize("made", [{"channels": 2}, {"images": 0}])
def test_images_that_cannot_be_shown_are_refused(hang, tmp_path, gallery, made):
    run, arrays = RunFolder(tmp_path), gallery(3, made.get("channels", 3), 8)
    if "images" in made:
        for name in ("ids", "labels", "images", "predicted"):
            arrays[name] = arrays[name][:0]
        for name in ("adversarial", "adversarial_predicted", "displacements"):
            arrays[name] = arrays[name][:, :0]
    hang(run, arrays)
    with pytest.raises(RunFolderError, match="images is of shape"):
        gallery_of(run)


def test_images_of_another_protocol_than_the_runs_are_not_shown(tmp_path, gallery, hang):
    run = RunFolder(tmp_path)
    hang(run, gallery() | {"protocol_hash": np.array("older")})
    assert gallery_of(run, "newer") is None
    assert gallery_of(run, "older") is not None
