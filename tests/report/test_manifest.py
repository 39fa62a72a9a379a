import json
import os
import subprocess
import sys

import pytest

from moat import storage
from moat.errors import BusyError, DiskError
from moat.report import make_fronts, make_scoreboards, write_front, write_report
from moat.report.manifest import REPORT_MANIFEST, write_files

# What a user may well call files of his or her own, beside what reports are called.
USERS = [
    *("report-2024.md", "report-1.csv", "report-2.md", "front-2024.png", "front-7.json"),
    *("front-1.svg", "against-3.csv", "compare-12.md", "compare-examples-1.csv", "training-3.png"),
]
REFUSED = "cannot write: the file there is not a moat report, or was changed since"


def write(folder, *names, text="new"):
    return write_files(dict.fromkeys(names, text), folder, ["front", "report"], ["csv", "md"])


def test_files_that_a_report_did_not_write_are_never_deleted(study):
    for name in USERS:
        (study / name).write_text("mine", "utf-8")
    for _ in range(2):
        write_front(make_fronts(study), study)
        write_report(make_scoreboards(study), study)
    assert {name: (study / name).read_text("utf-8") for name in USERS} == dict.fromkeys(
        USERS, "mine"
    )


def test_what_an_earlier_report_wrote_is_replaced_and_what_it_left_is_deleted(tmp_path):
    write(tmp_path, "front-1.csv", "front-2.csv", text="old")
    write(tmp_path, "front.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"front.csv", REPORT_MANIFEST}
    write(tmp_path, "front.csv", text="newer")
    assert (tmp_path / "front.csv").read_text("utf-8") == "newer"


def test_what_was_changed_since_is_not_deleted(tmp_path):
    write(tmp_path, "front-1.csv", "front-2.csv", text="old")
    (tmp_path / "front-2.csv").write_text("old, with a remark", "utf-8")
    write(tmp_path, "front.csv")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"front.csv", "front-2.csv", REPORT_MANIFEST}
    (tmp_path / "front-2.csv").write_text("old", "utf-8")  # from now on it is the user's
    write(tmp_path, "front.csv")
    assert (tmp_path / "front-2.csv").exists()


@pytest.mark.parametrize("how", ["made", "changed", "folder", "broken link", "manifest lost"])
def test_a_users_file_of_the_same_name_is_refused_before_anything_is_written(tmp_path, how):
    write(tmp_path, "front.csv", text="old")
    path = tmp_path / "front.md"
    if how == "folder":
        path.mkdir()
    elif how == "broken link":
        path.symlink_to("nowhere")
    elif how == "made":
        path.write_text("mine", "utf-8")
    else:
        write(tmp_path, "front.csv", "front.md", text="old")
        lost = how == "manifest lost"
        changed = tmp_path / REPORT_MANIFEST if lost else path
        changed.write_text("broken", "utf-8")
    before = {p.name: p.is_file() and p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(DiskError) as refused:
        write(tmp_path, "front.csv", "front.md")
    assert refused.value.message.startswith(REFUSED)
    where = "front.csv" if how == "manifest lost" else "front.md"
    assert refused.value.where == str(tmp_path / where)
    assert refused.value.hint == (
        "Nothing was written. Move it away, or name another folder with --out."
    )
    assert {p.name: p.is_file() and p.read_bytes() for p in tmp_path.iterdir()} == before


def test_several_files_of_a_user_are_all_named(tmp_path):
    for name in ("front.csv", "front.md", "report.md"):
        (tmp_path / name).write_text("mine", "utf-8")
    with pytest.raises(DiskError, match=r"changed since, as are front\.md, report\.md\."):
        write(tmp_path, "front.csv", "front.md", "report.md")


def test_a_file_that_says_the_same_already_is_taken_over(tmp_path):
    (tmp_path / "front.csv").write_text("new", "utf-8")
    write(tmp_path, "front.csv")
    write(tmp_path, "front.csv", text="newer")


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 9}', '{"format": 1, "files": []}', '{"format": 1, "files": '
    '{"front-1.csv": 3, "../x.md": ["a"]}}']
)  # fmt: skip
def test_a_manifest_that_is_not_moats_lists_nothing(tmp_path, content):
    (tmp_path / REPORT_MANIFEST).write_text(content, "utf-8")
    (tmp_path / "front-1.csv").write_text("mine", "utf-8")
    write(tmp_path, "front.csv")
    assert (tmp_path / "front-1.csv").exists()
    assert (
        list(json.loads((tmp_path / REPORT_MANIFEST).read_text("utf-8"))["files"])[-1]
        == "front.csv"
    )


def test_temporary_files_of_a_killed_report_are_swept_and_a_users_are_not(tmp_path):
    for name in (".front.csv.moat-123.tmp", ".mine.5.tmp", ".front.csv.tmp"):
        (tmp_path / name).write_text("half", "utf-8")
    write(tmp_path, "front.csv")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"front.csv", REPORT_MANIFEST, ".mine.5.tmp", ".front.csv.tmp"}


LOCK = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], 0), 2); print(flush=True); input()"


def test_two_reports_write_a_folder_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "PATIENCE", 0.1)
    command = [sys.executable, "-c", LOCK, str(tmp_path)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as other:
        other.stdout.readline()
        with pytest.raises(BusyError) as refused:
            write(tmp_path, "front.csv")
        other.communicate("\n")
    assert refused.value.message == "another process is writing reports into this folder."
    assert refused.value.hint == "Wait for it, or name another folder with --out."
    write(tmp_path, "front.csv")


@pytest.mark.parametrize("lacks", ["system", "disk"])
def test_a_folder_that_cannot_be_locked_is_written(tmp_path, monkeypatch, lacks):
    def refuse(*args):
        raise OSError

    if lacks == "system":
        monkeypatch.setattr(storage, "fcntl", None)
    else:
        monkeypatch.setattr(storage.fcntl, "flock", refuse)
    assert write(tmp_path, "front.csv") == [tmp_path / "front.csv"]


def test_a_link_that_a_user_made_of_a_report_is_followed_to_see_whether_it_changed(tmp_path):
    write(tmp_path, "front.csv")
    os.replace(tmp_path / "front.csv", tmp_path / "kept.csv")
    (tmp_path / "front.csv").symlink_to("kept.csv")
    write(tmp_path, "front.csv", text="newer")
    assert (tmp_path / "kept.csv").read_text("utf-8") == "new"
