"""An analysis in its files: whole, its own, or refused."""

import json

import numpy as np
import pytest

from moat.errors import RunFolderError
from moat.records import Analysis, AnalysisFinding, AnalysisSubject, NamedArray
from moat.runs import AnalysisPartFiles, analysis_files, read_analysis


@pytest.fixture
def analysis():
    return Analysis(
        "transfer",
        {
            "threat": NamedArray(np.array(["pgd", "rt"]), ("threat",)),
            "accuracy": NamedArray(np.array([41.0, np.nan]), ("threat",), "%"),
            "correct": NamedArray(np.zeros((2, 3), np.int8), ("threat", "example"), in_table=False),
        },
        (AnalysisSubject("a", "../a/seed-0", {"weights": "0f"}),),
        {"threats": ["pgd"], "examples": 3},
        (AnalysisFinding("found", 1.5, 1.0, 2.0, "%", is_warning=True), AnalysisFinding("plain")),
        ("A note.",),
    )


@pytest.fixture
def written(analysis, tmp_path):
    for name, content in analysis_files(analysis, "mine").items():
        (tmp_path / name).write_bytes(content)
    return tmp_path / "mine.json"


def test_an_analysis_comes_back_as_it_was(analysis, written):
    again = read_analysis(written)
    assert again.header() == analysis.header()
    assert again.findings == analysis.findings
    for name, array in analysis.arrays.items():
        np.testing.assert_array_equal(again[name], array.values)
        assert again[name].dtype == array.values.dtype
    assert analysis_files(again, "mine") == analysis_files(analysis, "mine")


def test_without_a_file_there_is_none(tmp_path):
    assert read_analysis(tmp_path / "mine.json") is None


def change(path, **values):
    table = json.loads(path.read_text())
    path.write_text(json.dumps({**table, **values}))


BROKEN = {
    "a newer format": ({"format": 2, "moat": "9.9"}, "it has format 2, from a newer moat (9.9)"),
    "a wrong type": ({"notes": "one"}, "its record is not moat's: notes is 'one' and should be"),
    "no kind": ({"kind": None}, "kind is None and should be of type str"),
    "an array too many": (
        {"arrays": {"other": {"axes": [], "unit": "", "in_table": True}}},
        "accuracy, correct, other, threat: in the record or in the arrays alone",
    ),
    "other arrays": ({"arrays_sha256": "0" * 64}, "the arrays of the analysis are not those of"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_record_that_is_not_whole_is_refused(written, broken):
    values, why = BROKEN[broken]
    change(written, **values)
    with pytest.raises(RunFolderError) as refused:
        read_analysis(written)
    assert why in str(refused.value)


def test_axes_that_do_not_fit_the_arrays_are_refused(written):
    arrays = json.loads(written.read_text())["arrays"]
    change(
        written, arrays={**arrays, "accuracy": {"axes": ["x", "y"], "unit": "%", "in_table": True}}
    )
    with pytest.raises(RunFolderError, match="accuracy is of shape"):
        read_analysis(written)


def test_arrays_that_are_missing_or_damaged_are_refused_with_the_mend(written):
    arrays = written.with_suffix(".npz")
    content = arrays.read_bytes()
    arrays.write_bytes(content[:-1])
    with pytest.raises(RunFolderError) as refused:
        read_analysis(written)
    assert str(refused.value) == (
        f"{arrays}: the arrays of the analysis are not those of its record.\n"
        "  Delete it, and run `moat analyze` again."
    )
    arrays.unlink()
    with pytest.raises(RunFolderError, match="the arrays of the analysis are missing"):
        read_analysis(written)


def test_a_part_is_taken_by_its_own_analysis_alone(tmp_path):
    parts = AnalysisPartFiles(tmp_path, "0f")
    assert parts.load("a") is None
    parts.save("a", {"x": np.arange(3)})
    assert parts.load("a")["x"].tolist() == [0, 1, 2]
    assert parts.load("b") is None
    (file,) = parts.path.iterdir()
    other = AnalysisPartFiles(tmp_path, "1e")
    other.save("b", {"x": np.arange(2)})
    file.rename(other.path / file.name)
    assert other.load("a") is None  # the part of another analysis, under its name
    (other.path / file.name).write_bytes(b"damaged")
    assert other.load("a") is None
    parts.clear()
    assert other.load("b") is not None
    other.clear()
    assert list(tmp_path.iterdir()) == []
