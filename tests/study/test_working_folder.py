"""Code of a user's that leaves the working folder: results lie where they were asked for."""

import os
from pathlib import Path

import pytest

from moat.study import evaluate_model, train

NETWORK = """
import os
from torch import nn

def leave(now):
    if {when!r} == now:
        os.chdir("/")

leave("import")

class Net(nn.Sequential):
    def forward(self, x):
        leave("call")
        return super().forward(x)

def make():
    leave("build")
    return Net(nn.Flatten(), nn.LazyLinear(10))
"""


@pytest.fixture(params=["import", "build", "call"])
def leaves(request, tmp_path, monkeypatch, recipe) -> str:
    """A recipe of a model that leaves the working folder, which is the test's own; return when."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    name = f"leaving_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(NETWORK.format(when=request.param), "utf-8")
    path = recipe('"tiny-cnn"\nwidth = 4', f'"python:{name}:make"')
    path.write_text(path.read_text("utf-8").replace("= 40", "= 6"), "utf-8")
    return request.param


def test_a_run_lies_in_the_relative_folder_that_was_named(leaves, tmp_path):
    result = train("study.toml", only=("plain",), results="here", device="cpu")
    assert os.getcwd() == str(tmp_path)
    if leaves == "call":
        (error,) = result.failed.values()
        assert "a call of the model changes the working folder" in error.message
        assert "Remove os.chdir from its forward" in error.hint
    else:
        assert result.done == [Path("here/study/plain/seed-0")]
        assert (tmp_path / "here/study/plain/seed-0/run.json").exists()


@pytest.mark.parametrize("leaves", ["import", "build"], indirect=True)
def test_so_does_the_evaluation_of_a_model(leaves, tmp_path, recipe):
    name = next(tmp_path.glob("leaving_*.py")).stem
    judged = evaluate_model(f"python:{name}:make", "study.toml", results="here", device="cpu")
    assert os.getcwd() == str(tmp_path)
    assert (tmp_path / judged.folder / "run.json").exists()


def test_so_do_those_of_a_plug_in_that_leaves_when_it_is_imported(tmp_path, monkeypatch, recipe):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plug.py").write_text("import os\nos.chdir('/')\n", "utf-8")
    path = recipe("= 40", "= 6")
    path.write_text(f'plugins = ["plug.py"]\n{path.read_text("utf-8")}', "utf-8")
    assert train("study.toml", only=("plain",), results="here", device="cpu").done
    assert (tmp_path / "here/study/plain/seed-0/run.json").exists()
