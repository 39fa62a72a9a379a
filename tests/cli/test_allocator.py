"""A command's process is its own: it keeps freed memory, and what it computes is the same."""

import ctypes
import sys

import pytest

from moat import allocator
from moat.runs import RunFolder

IS_GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """A process in which nothing was set, whatever other tests have done to this one."""
    monkeypatch.setattr(allocator, "_in_use", "system")
    for name in (*allocator.TUNED_BY, "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(not IS_GLIBC, reason="needs glibc")
def test_a_command_keeps_memory_unless_the_recipe_says_otherwise(recipe, moat):
    path = recipe()
    folders = []
    for value in ("system", "keep"):
        answer = moat(
            *("train", path, "--only", "pgd-at", "--results", value),
            *("--set", f"training.allocator={value}"),
        )
        assert answer.code == 0
        (folder,) = [record.parent for record in path.parent.glob(f"{value}/**/run.json")]
        folders.append(RunFolder(folder))
    records = [folder.read_record() for folder in folders]
    assert [record.machine["allocator"] for record in records] == ["system", "keep"]
    assert records[0].train_hash == records[1].train_hash
    assert records[0].scores == records[1].scores
    weights = [(folder.path / "model.safetensors").read_bytes() for folder in folders]
    assert weights[0] == weights[1]


def test_anybodys_model_is_evaluated_with_memory_kept(recipe, moat, monkeypatch):
    monkeypatch.setattr(allocator, "_mallopt", lambda: lambda option, value: 1)
    path = recipe()
    moat("train", path, "--only", "plain", "--set", "training.allocator=system", "--results", "own")
    assert allocator.in_use() == "system"
    (weights,) = path.parent.glob("own/**/model.safetensors")
    named = ("--model", "tiny-cnn", "--arg", "width=4", "--checkpoint", weights, "--name", "theirs")
    answer = moat("evaluate", *named, "--protocol", path)
    assert answer.code == 0
    record = RunFolder(path.parent / "results" / "study" / "theirs" / "seed-0").read_record()
    assert record.machine["allocator"] == "keep"
