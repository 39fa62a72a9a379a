"""Weights that are cut or another run's, found by every reader from their header alone."""

import json

import pytest
import torch

from moat.errors import ForeignFileError, FrontError, RunFolderError
from moat.report.points import read_point, read_points
from moat.runs import RunFolder
from tests.report.conftest import write_run

STATE = {"layer.weight": torch.arange(6.0).view(2, 3), "layer.bias": torch.zeros(2)}


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """A finished run with weights."""
    folder = write_run(tmp_path / "results" / "a", "a", 90, (60, 50, 70, 40))
    folder.save_model(STATE, folder.read_record().train_hash)
    return folder


def seen(folder: RunFolder):
    return read_point(folder, folder.path.parent).natural


@pytest.mark.parametrize(
    "state", [STATE, {}, {"a": torch.zeros(0)}, {"s": torch.eye(3).to_sparse()}]
)
def test_whole_weights_and_none_are_read(run, state):
    run.save_model(state)
    assert seen(run) == 90
    (run.path / "model.safetensors").unlink()
    assert seen(run) == 90


def test_weights_cut_anywhere_are_told_by_every_reader(run):
    file = run.path / "model.safetensors"
    content, record = file.read_bytes(), run.read_record()
    for length in range(len(content)):
        file.write_bytes(content[:length])
        with pytest.raises(RunFolderError, match="the file is truncated or not moat's") as refused:
            run.require_whole_weights(record)
        assert refused.value.where == str(file)
        assert "Delete it" in refused.value.hint
    file.write_bytes(content + b"\0")
    with pytest.raises(RunFolderError, match="it has 225 bytes, and by its header 224"):
        seen(run)


@pytest.mark.parametrize("header", ["[]", '{"a": 3}', '{"a": {}}', '{"a": {"data_offsets": 1}}'])
def test_a_header_that_is_none_is_told(run, header):
    text = header.encode()
    (run.path / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(RunFolderError, match="the file is truncated or not moat's"):
        seen(run)


def test_a_header_longer_than_memory_is_not_read(run):
    (run.path / "model.safetensors").write_bytes((2**63).to_bytes(8, "little") + b"{}")
    with pytest.raises(RunFolderError, match="the file is truncated or not moat's"):
        seen(run)


def test_weights_of_another_run_are_told(run):
    file = run.path / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), "train_hash": "c" * 16}))
    run.save_model(STATE, "d" * 16)
    with pytest.raises(ForeignFileError, match=r"its training hash is d{16}, and this run's c{16}"):
        seen(run)


def test_a_front_names_the_run_and_goes_on(run):
    other = write_run(run.path.parent / "b", "b", 80, (60, 50, 70, 40))
    file = run.path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    points, skipped = read_points(run.path.parent)
    assert [point.folder for point in points] == [other.path]
    assert skipped[0].startswith(f"{file}: the file is truncated or not moat's")
    with pytest.raises(FrontError, match="none of the 1 runs in this folder can be read"):
        read_points(run.path)
