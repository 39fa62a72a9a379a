"""What is written in place is no link: it would be written elsewhere."""

import os

import pytest

from moat.errors import MoatError, RunFolderError
from moat.runs import RunFolder, StudyFolder
from moat.testing.run_record import run_record


@pytest.fixture
def precious(tmp_path):
    """A folder and a file of the user's, which nothing may touch."""
    folder = tmp_path / "precious"
    (folder / "kept").mkdir(parents=True)
    (folder / "file").write_text("mine")
    yield folder
    assert (folder / "file").read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["file", "kept"]


@pytest.mark.parametrize(
    ("name", "target"),
    [(".lock", "file"), ("log.jsonl", "file"), (".evaluation", "."), ("tensorboard", ".")],
)
def test_a_link_in_a_run_is_refused_before_anything_is_written(tmp_path, precious, name, target):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    (run.path / name).symlink_to(precious / target)
    with pytest.raises(RunFolderError) as refused, run.locked():
        run.append_log({"step": 1})
    assert refused.value.where == str(run.path / name)
    assert "a link" in refused.value.message


def test_a_link_below_an_unfinished_evaluation_is_refused(tmp_path, precious):
    run = RunFolder(tmp_path / "run")
    (run.path / ".evaluation").mkdir(parents=True)
    (run.path / ".evaluation" / "print").symlink_to(precious)
    with pytest.raises(RunFolderError, match="it is a link to"):
        run.evaluation_parts("print")
    run.evaluation_parts("other")


def test_a_link_for_the_lock_of_a_study_is_refused(tmp_path, precious):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / ".study.lock").symlink_to(precious / "file")
    with pytest.raises(RunFolderError, match="a link is in the place of moat's own"):
        StudyFolder(tmp_path / "study").plan([], [])


def test_a_file_that_is_replaced_may_be_a_link_and_what_it_led_to_stays(tmp_path, precious):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    (run.path / "run.json").symlink_to(precious / "file")
    run.write_record(run_record(seed=1))
    assert run.read_record().seed == 1


@pytest.mark.parametrize("name", ["run.json", "log.jsonl", "recipe.toml", "evaluation.json"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path, name):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    os.mkfifo(run.path / name)
    reads = {
        "run.json": run.read_record,
        "log.jsonl": run.read_log,
        "recipe.toml": run.read_recipe,
        "evaluation.json": run.load_evaluation,
    }
    with pytest.raises(MoatError, match="it is not a regular file"):
        reads[name]()


@pytest.mark.parametrize("content", ["[" * 100_000, '{"pid": 1' + "0" * 5000 + "}", "\ud800"])
def test_a_broken_holder_is_nobody_alive_or_somebody_unknown(tmp_path, content):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    holder = run.path / ".holder.json"
    holder.write_bytes(content.encode("utf-8", "surrogatepass"))
    with run.locked():
        assert run.is_held


def test_a_pipe_in_the_place_of_the_holder_is_nobody_and_stops_a_writer(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    os.mkfifo(run.path / ".holder.json")
    assert not run.is_held
    with pytest.raises(RunFolderError, match="a pipe, a socket or a device"), run.locked():
        pass
