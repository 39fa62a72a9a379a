from pathlib import Path

import pytest

from moat.errors import RunFolderError
from moat.runs import RunFolder
from moat.runs.formats import in_format
from moat.testing import run_record
from moat.version import __version__

PATH = Path("some.json")
STEPS = {
    1: lambda table: {**table, "seeds": [table["seed"]]},
    2: lambda table: {key: value for key, value in table.items() if key != "seed"},
}


def test_an_older_format_is_migrated_step_by_step_and_what_was_read_stays():
    old = {"format": 1, "seed": 3, "later": "kept"}
    assert in_format(old, 3, PATH, STEPS) == {"format": 3, "seeds": [3], "later": "kept"}
    assert in_format({"format": 2, "seed": 3}, 3, PATH, STEPS) == {"format": 3}
    assert old == {"format": 1, "seed": 3, "later": "kept"}


def test_the_newest_format_is_taken_as_it_is():
    table = {"format": 3, "seed": 3}
    assert in_format(table, 3, PATH, STEPS) is table


@pytest.mark.parametrize("found", [4, 10**30])
def test_a_newer_format_is_refused_with_the_mend(found):
    with pytest.raises(RunFolderError) as refused:
        in_format({"format": found}, 3, PATH, STEPS)
    assert str(refused.value) == (
        f"some.json: it has format {found}, from a newer moat; moat {__version__} reads "
        "format 3.\n  Upgrade moat-robust: git pull in its checkout, or install a newer wheel."
    )


@pytest.mark.parametrize("found", [0, -1, True, "1", 1.0, None])
def test_what_is_no_format_is_refused(found):
    with pytest.raises(RunFolderError, match=r"or not moat's \(its format is not 3\)\."):
        in_format({"format": found}, 3, PATH, STEPS)


def test_a_broken_record_is_mended_by_what_needs_no_record(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_record(run_record())
    path = tmp_path / "run.json"
    path.write_text(path.read_text("utf-8").replace('"study"', '"stud"'), "utf-8")
    with pytest.raises(RunFolderError, match="study") as refused:
        folder.read_record()
    assert "moat train --overwrite" in refused.value.hint
    assert "moat evaluate" not in refused.value.hint  # it reads the record first
