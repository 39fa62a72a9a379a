"""Freed memory is kept where a run asks for it, and weights do not depend on it."""

import ctypes
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from moat import allocator
from moat.runs import RunFolder
from moat.study import evaluate_model, train

IS_GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
on_glibc = pytest.mark.skipif(not IS_GLIBC, reason="needs glibc")


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """A process in which nothing was set, whatever other tests have done to this one."""
    monkeypatch.setattr(allocator, "_in_use", "system")
    for name in (*allocator.TUNED_BY, "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def library(monkeypatch):
    """A C library of pretence, which is glibc, and what it was asked for."""
    asked = []

    def mallopt(option, value):
        asked.append((option, value))
        return 1

    made = SimpleNamespace(mallopt=mallopt, gnu_get_libc_version=None, asked=asked)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: made)
    return made


FAULTS = """
import resource
from moat.allocator import keep_memory
{ask}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    bytearray(64 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(ask: str) -> int:
    """Return how many pages are mapped where 64 MiB are taken and freed 20 times."""
    huge = {**os.environ, "GLIBC_TUNABLES": ""}
    told = subprocess.run(
        [sys.executable, "-c", FAULTS.format(ask=ask)], capture_output=True, check=True, env=huge
    )
    return int(told.stdout)


@on_glibc
def test_pages_are_mapped_once_where_memory_is_kept():
    assert faults("assert keep_memory()") * 10 < faults("")


def test_large_blocks_are_not_mapped_and_nothing_is_given_back(library):
    assert allocator.keep_memory()
    assert library.asked == [(-4, 0), (-1, -1)]
    assert allocator.in_use() == "keep"


@pytest.mark.parametrize("platform", ["darwin", "win32", "emscripten", "freebsd14"])
def test_another_system_is_left_alone(library, monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    assert not allocator.keep_memory()
    assert (library.asked, allocator.in_use()) == ([], "system")


def test_another_c_library_is_left_alone(library):
    del library.gnu_get_libc_version  # as of musl
    assert not allocator.keep_memory()
    assert (library.asked, allocator.in_use()) == ([], "system")


def test_a_process_without_a_shared_c_library_is_left_alone(library, monkeypatch):
    def refused(name):
        raise OSError("Dynamic loading not supported")

    monkeypatch.setattr(ctypes, "CDLL", refused)
    assert not allocator.keep_memory()
    assert allocator.in_use() == "system"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "1000000") for name in allocator.TUNED_BY),
        ("GLIBC_TUNABLES", "glibc.rtld.nns=4:glibc.malloc.trim_threshold=128"),
    ],
)
def test_what_the_environment_sets_stays(library, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert not allocator.keep_memory()
    assert (library.asked, allocator.in_use()) == ([], "system")


def test_tunables_of_other_parts_of_glibc_do_not_matter(library, monkeypatch):
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.rtld.nns=4")
    assert allocator.keep_memory()


def test_what_glibc_refuses_is_not_claimed(library):
    library.mallopt = lambda option, value: 0
    assert not allocator.keep_memory()
    assert allocator.in_use() == "system"


def test_a_run_sets_the_allocator_of_its_own_process_alone(library):
    allocator.take("keep")
    assert library.asked == []
    with allocator.own_process():
        allocator.take("system")
        assert library.asked == []
        allocator.take("keep")
    assert allocator.in_use() == "keep"


def test_a_callers_process_is_the_callers(recipe, library, tmp_path):
    path = recipe()
    (run,) = train(path, only=["plain"], results=tmp_path).done
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    model = evaluate_model(network, path, name="theirs", results=tmp_path).folder
    for folder in (run, model):
        assert RunFolder(folder).read_record().machine["allocator"] == "system"
    assert library.asked == []
