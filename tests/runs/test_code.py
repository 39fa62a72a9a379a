"""The code that a run keeps."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from moat.errors import ForeignFileError, RunFolderError
from moat.kept_code import CODE_LIST
from moat.kept_modules import modules_of
from moat.local_imports import module_files
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


NEW = {"plug.py": b"import pkg.b", "pkg/b.py": b"y = 1"}
USERS = {
    "analysis.py": b"mine",
    "exp/analysis.py": b"mine",
    "pkg/extra.py": b"mine",
    "notes.txt": b"mine",
}
STATES = ("begun", "finished", "of an older moat", "finished by an older moat")


def put(root: Path, files: dict[str, bytes]) -> None:
    for place, content in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(content)


def tree(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and path.name != CODE_LIST)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(params=STATES)
def at_work(request, folder, golden) -> RunFolder:
    """The folder of a run in each state that a command may find it in."""
    folder.write_recipe({"study": "s"})
    if "finished" in request.param:
        record = RunFolder(golden / "demo/max-at/seed-0").read_record()
        folder.write_record(record.replace(files=folder.trained_digests()))
    if "older" in request.param:  # which wrote no list
        (folder.code / CODE_LIST).unlink()
    return folder


@pytest.mark.parametrize("new", [NEW, FILES, {}], ids=["other code", "the same", "none"])
def test_a_users_files_among_the_code_stay_whatever_code_is_kept(at_work, new):
    put(at_work.code, USERS)
    at_work.write_code(new)
    assert USERS.items() <= tree(at_work.code).items()
    assert at_work.read_code() == new


def test_code_that_is_not_kept_any_more_goes_if_moat_wrote_it_so(at_work):
    known = at_work.is_done or (at_work.code / CODE_LIST).exists()
    put(at_work.code, {"pkg/__init__.py": b"changed"})
    at_work.write_code(NEW)
    left = (
        {"pkg/__init__.py": b"changed"}
        if known
        else {"pkg/__init__.py": b"changed"}
        | {"plug.py.kept": FILES["plug.py"], "pkg/a.py": FILES["pkg/a.py"]}
    )
    assert tree(at_work.code) == {**NEW, **left}


@pytest.mark.parametrize("place", ["plug.py", "pkg/b.py"])
@pytest.mark.parametrize("kind", ["a file", "a link", "a folder"])
def test_what_of_a_users_stands_where_code_belongs_is_moved_aside_and_named(
    at_work, tmp_path, place, kind
):
    path = at_work.code / place
    path.unlink(missing_ok=True)
    if kind == "a folder":
        put(path, {"mine.py": b"mine"})
    elif kind == "a link":
        (tmp_path / "elsewhere.py").write_bytes(b"mine")
        path.symlink_to(tmp_path / "elsewhere.py")
    else:
        put(at_work.code, {place: b"mine"})
    assert f"{path} (kept as {path.name}.kept)" in at_work.write_code(NEW)
    kept = path.with_name(f"{path.name}.kept")
    assert (kept / "mine.py" if kind == "a folder" else kept).read_bytes() == b"mine"
    assert tree(at_work.code)[place] == NEW[place]


def test_a_file_where_a_package_belongs_is_moved_aside_once(folder):
    folder.write_code({})
    put(folder.code, {"pkg": b"mine"})
    (moved,) = folder.write_code(FILES)
    assert "pkg.kept" in moved
    assert folder.read_code() == FILES


def test_clearing_leaves_what_the_user_changed_or_added(folder):
    put(folder.code, {**USERS, "plug.py": b"changed"})
    assert folder.others() == sorted(f"code/{place}" for place in [*USERS, "plug.py"])
    folder.clear()
    assert tree(folder.code) == {**USERS, "plug.py": b"changed"}


def test_a_users_file_is_not_the_runs_own_code(at_work):
    put(at_work.code, {"secret.py": b"SECRET = 1", "pkg/secret.py": b"SECRET = 1"})
    if not (at_work.code / CODE_LIST).exists() and not at_work.is_done:
        at_work.write_code(FILES)  # until then nothing says what an older moat wrote
    assert at_work.read_code() == FILES
    assert set(at_work.trained_digests()) == {f"code/{place}" for place in FILES}
    assert not any("secret" in path.name for path in at_work.carried())
    modules = module_files("secret", [at_work.code])
    assert modules == {}
    assert module_files("pkg.secret", [at_work.code]).keys() == {"pkg/__init__.py"}
    with modules_of(at_work.code):
        assert find_spec("secret") is None
        assert find_spec("plug") is not None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"files": 1}', "[" * 100_000, '{"files": {"a": 1}}']
)
def test_a_list_that_says_nothing_lets_nothing_be_deleted(folder, text):
    (folder.code / CODE_LIST).write_text(text)
    folder.clear()
    assert tree(folder.code) == FILES
