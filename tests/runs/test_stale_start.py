"""A finished run is stale once the run of the study that it starts from has other weights."""

import pytest

from moat.runs import RunFolder, is_stale
from moat.testing import run_record

START = {"place": "study/film/at=0/seed-0", "weights": "0" * 16, "training": "a hash"}


@pytest.mark.parametrize(
    ("start", "stale"),
    [
        (START, True),
        ({**START, "training": None}, False),  # a file of weights, which is kept by its digest
        ({**START, "place": "study/film/at=1/seed-0"}, False),  # it is not there
        (None, False),
    ],
)
def test_other_weights_in_the_place_of_a_start_make_a_run_stale(tmp_path, start, stale):
    place = tmp_path / "study" / "film" / "at=0" / "seed-0"
    place.mkdir(parents=True)
    (place / "model.safetensors").write_bytes(b"weights")
    folder = RunFolder(tmp_path / "study" / "film" / "at=0.5" / "seed-0")
    told = {"start": {k: v for k, v in start.items() if v is not None}} if start else {}
    record = run_record(sweep={"conditioned.at": 0.5}, **told)
    assert is_stale(folder, record) == stale
