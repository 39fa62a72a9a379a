import csv

import pytest

from moat.errors import DiskError
from moat.report.figures.files import write_analysis
from moat.report.figures.finding import analyses_below, readable_analyses


def test_every_kind_is_written_and_found_again(analysis, tmp_path):
    (tmp_path / "deep").mkdir()
    written = write_analysis(analysis, tmp_path / "deep", formats=["svg"])
    assert [path.name for path in written] == [
        f"{analysis.kind}.{ending}" for ending in ("json", "npz", "csv", "svg")
    ]
    found = analyses_below(tmp_path)
    assert {place: one.header() for place, one in found.items()} == {
        f"deep/{analysis.kind}": analysis.header()
    }
    rows = list(csv.DictReader(written[2].read_text().splitlines()))
    assert len(rows) == len(list(analysis.rows()))


def test_only_files_of_moat_are_replaced_and_found(made_up, tmp_path):
    analysis = made_up("transfer")
    write_analysis(analysis, tmp_path, formats=["png", "svg"])
    write_analysis(analysis, tmp_path, formats=["pdf"])
    assert not (tmp_path / "transfer.png").exists()
    (tmp_path / "transfer.csv").write_text("mine")
    with pytest.raises(DiskError, match="the file there is not a moat report, or was changed"):
        write_analysis(analysis, tmp_path)
    assert (tmp_path / "transfer.csv").read_text() == "mine"
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "other.npz").write_text("")
    assert list(analyses_below(tmp_path)) == ["transfer"]


def test_an_analysis_that_cannot_be_read_is_told_of(made_up, tmp_path):
    write_analysis(made_up("transfer"), tmp_path, formats=[])
    (tmp_path / "transfer.npz").unlink()
    (tmp_path / "transfer.npz").write_bytes(b"")
    found, problems = readable_analyses(tmp_path)
    assert found == {}
    assert problems[0].startswith(f"{tmp_path / 'transfer.npz'}: the arrays of the analysis are")
