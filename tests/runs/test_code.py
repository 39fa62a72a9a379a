"""The code that a run keeps."""

import pytest

from moat.errors import ForeignFileError, RunFolderError
from moat.runs import RunFolder

FILES = {"plug.py": b"import pkg.a", "pkg/__init__.py": b"", "pkg/a.py": b"x = 1"}


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.write_code(FILES)
    return made


def test_what_is_kept_is_read_and_nothing_else(folder):
    (folder.code / "data.txt").write_text("the user's")
    assert folder.read_code() == FILES
    assert RunFolder(folder.path / "nowhere").read_code() == {}


def test_what_is_there_already_is_left_alone_and_what_is_gone_goes(folder):
    before = (folder.code / "plug.py").stat().st_mtime_ns
    folder.write_code({"plug.py": FILES["plug.py"]})
    assert folder.read_code() == {"plug.py": FILES["plug.py"]}
    assert (folder.code / "plug.py").stat().st_mtime_ns == before
    assert not (folder.code / "pkg").exists()


def test_a_users_file_there_stays_when_the_run_is_cleared(folder):
    (folder.code / "pkg/data.txt").write_text("the user's")
    assert "code" in folder.written()
    folder.clear()
    assert [path.name for path in folder.path.rglob("*") if path.is_file()] == ["data.txt"]
    assert "code" not in folder.written()


def test_its_digests_stand_in_the_record_and_a_file_of_another_is_told(folder, golden):
    record = RunFolder(golden / "demo/max-at/seed-0").read_record()
    record = record.replace(files=folder.trained_digests())
    assert set(record.files) == {f"code/{place}" for place in FILES}
    assert folder.read_code(record) == FILES
    (folder.code / "pkg/a.py").write_text("x = 2")
    with pytest.raises(ForeignFileError, match=r"pkg/a\.py: the file and run\.json do not belong"):
        folder.read_code(record)


@pytest.mark.parametrize("place", ["code", "code/pkg"])
def test_a_folder_of_code_that_is_a_link_is_written_through_by_nobody(folder, tmp_path, place):
    (folder.path / place).rename(tmp_path / "elsewhere")
    (folder.path / place).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunFolderError, match="it is a link to"), folder.locked():
        pass
