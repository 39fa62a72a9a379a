"""The three stages of the GPU benchmark in small, cut twice each: nothing is lost or done twice."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from argparse import Namespace
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest
import torch

from moat.runs import RunFolder

ROOT = Path(__file__).parents[2]
OVERRIDES = [f"threats.{label}.train.steps=1" for label in ("pgd", "flow", "rt")]
STEPS = ["steps", "--studies=mnist", "--modes=none", "--batch=2", "--rounds=1"]
STEPS += [f"--set={one}" for one in OVERRIDES]


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.gpu.__main__")


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "short.toml"
    path.write_text(
        f'extends = "{ROOT / "tests/small.toml"}"\n'
        '[[variant]]\nname = "natural"\nscalarizer = "natural"\n'
        '[[variant]]\nname = "pgd-at"\nthreats = ["pgd"]\n'
    )
    return path


@pytest.fixture
def protocol(tmp_path):
    path = tmp_path / "brief.toml"
    path.write_text(
        f'extends = "{ROOT / "tests/small.toml"}"\n'
        "[threats]\nflow = false\n[threats.pgd]\nevaluate = { at_steps = [2] }\n"
    )
    return path


class Watched:
    """Reads the file of figures all the while: it must be whole whenever it is there."""

    def __init__(self, path):
        self.path, self.torn, self.reads, self.over = path, [], 0, Event()
        self.thread = Thread(target=self._read)

    def _read(self):
        while not self.over.wait(0.05):
            try:
                json.loads(self.path.read_text("utf-8"))
                self.reads += 1
            except FileNotFoundError:
                continue
            except ValueError as error:
                self.torn.append(error)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def call(gpu, *arguments):
    """Run a stage to its end within this process; return its exit code."""
    try:
        gpu.main([*arguments, "--device=cpu"])
    except SystemExit as end:
        return end.code
    return 0


def killed(when, *arguments):
    """Run a stage in a process of its own, and kill that in the midst of it."""
    command = [sys.executable, "-m", "benchmarks.gpu", *arguments, "--device=cpu"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 200
    while not when():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def figures(out):
    return json.loads((out / "gpu.json").read_text("utf-8")) if (out / "gpu.json").exists() else {}


def let_go(results):
    """Wait until no process is at work on a run: those of a killed stage end with it."""
    deadline = time.monotonic() + 30
    holders = [path.parent for path in results.rglob(".holder.json")]
    while any(RunFolder(one).is_held for one in holders):
        assert time.monotonic() < deadline, "a process outlives its stage"
        time.sleep(0.05)


def first_line(run):
    """Return the first line of a run's log, whose rates two trainings do not share."""
    return (run / "log.jsonl").read_bytes().splitlines()[0]


@contextmanager
def cut_when(happened):
    """Let the time of a stage be up as soon as something has happened, however long that takes."""
    with pytest.MonkeyPatch.context() as patch:
        clock = SimpleNamespace(monotonic=lambda: 1e9 * happened(), sleep=time.sleep)
        patch.setattr(import_module("benchmarks.gpu.study"), "time", clock)
        yield


def small(recipe, *into):
    asked = ["study", f"--recipe={recipe}", "--epochs=40", "--side-by-side=1", *into]
    overrides = ("data.train_examples=60", "evaluation.examples=20", "training.log_every=1")
    return [*asked, *(f"--set={one}" for one in overrides)]


def test_the_stages_are_cut_twice_and_go_on(gpu, recipe, protocol, tmp_path, monkeypatch, capfd):
    out, results = tmp_path / "out", tmp_path / "results"
    monkeypatch.chdir(ROOT)
    into = [f"--out={out}", f"--results={results}"]
    with Watched(out / "gpu.json") as watched:
        _steps(gpu, out, into)
        _study(gpu, out, into, results, recipe)
        _evaluation(gpu, out, into, results, protocol)
        _elsewhere(gpu, out, tmp_path, recipe)
    assert watched.reads > 10
    assert watched.torn == []
    assert set(figures(out)) == {"machine", "steps", "study", "evaluation"}
    assert capfd.readouterr().err == ""


def _steps(gpu, out, into):
    killed(lambda: len(figures(out).get("steps", {})) > 0, *STEPS, *into)
    first = figures(out)["steps"]
    assert 0 < len(first) < 6
    assert call(gpu, *STEPS, *into, "--minutes=0.0001") == 0  # one more at most
    second = figures(out)["steps"]
    assert len(first) <= len(second) < 6
    assert call(gpu, *STEPS, *into) == 0
    whole = figures(out)["steps"]
    assert len(whole) == 6
    for earlier in (first, second):
        assert {name: whole[name] for name in earlier} == earlier  # times included
    for step in whole.values():
        assert step["passes of a step"] == 3 + 4
        assert step["batch"] == 2
        assert step["images a second"] > 0


def _study(gpu, out, into, results, recipe):
    asked = small(recipe, *into)

    def runs(name):
        return [path.parent for path in results.rglob(name)]

    killed(lambda: runs("checkpoint.pt"), *asked)
    let_go(results)
    begun = {run: first_line(run) for run in runs("checkpoint.pt")}
    assert len(begun) == 1
    assert not runs("run.json")
    with cut_when(lambda: len(runs("checkpoint.pt")) > 1):
        assert call(gpu, *asked) == 0
    let_go(results)
    begun |= {run: first_line(run) for run in runs("checkpoint.pt") if run not in begun}
    assert set(figures(out)["study"]["finished"]) == {"natural, seed 0"}
    assert call(gpu, *asked) == 0
    study = figures(out)["study"]
    assert set(study["finished"]) == {"natural, seed 0", "pgd-at, seed 0"}
    assert (study["runs"], study["failed processes"]) == (2, 0)
    spent = sum(run["seconds an epoch"] for run in study["finished"].values())  # all are done
    hours = study["GPU hours of training at 1 epochs, 1 side by side"]
    assert hours == pytest.approx(spent / 3600, abs=0.006)
    assert {run: first_line(run) for run in begun} == begun  # none was trained again
    assert call(gpu, *asked) == 0
    assert figures(out)["study"] == study


def _evaluation(gpu, out, into, results, protocol):
    asked = ["evaluation", "--study=short", "--examples=20", "--side-by-side=1", *into]
    asked.append(f"--protocol={protocol}")

    def found(name):
        return {path: path.stat().st_mtime_ns for path in results.glob(f"*@*/**/{name}")}

    with cut_when(lambda: bool(found("run.json"))):  # the second has begun, or ended, or not
        assert call(gpu, *asked) == 0
    let_go(results)
    before = found("run.json")
    assert 1 <= len(before) == len(figures(out)["evaluation"]["finished"])
    assert call(gpu, *asked) == 0
    evaluation = figures(out)["evaluation"]
    assert len(evaluation["finished"]) == evaluation["runs"] == 2
    assert evaluation["failed processes"] == 0
    assert before.items() <= found("run.json").items()
    for scores in evaluation["finished"].values():
        assert {"natural", "total", "union"} <= set(scores)


def _elsewhere(gpu, out, tmp_path, recipe):
    """Another machine takes up what came back, and finds nothing to do."""
    names = []
    for path in out.glob("results-*.tar.gz"):
        with tarfile.open(path) as archive:
            names += archive.getnames()
    assert sum(name.endswith("model.safetensors") for name in names) == 2
    assert not any(name.endswith((".pt", ".lock", ".holder.json", ".tmp")) for name in names)
    again, there = tmp_path / "again", tmp_path / "there"
    taken = small(recipe, f"--out={again}", f"--results={there}")
    assert call(gpu, *taken, f"--go-on={out}") == 0
    assert figures(again) == figures(out)
    assert sum(1 for _ in there.rglob("run.json")) == 4


# What is refused before anything is measured.

BROKEN = {
    "cut off": ('{"machine": {', "it cannot be read as this benchmark's figures: "),
    "another file": ("[1, 2]", "it cannot be read as this benchmark's figures: it is not a table."),
    "steps that are none": (
        '{"steps": []}',
        "it cannot be read as this benchmark's figures: its steps is not a table.",
    ),
    "another machine": (
        '{"machine": {"device": "NVIDIA H100", "torch": "2.11.0", "cuda": "13.0"}}',
        "it holds the figures of another machine: device NVIDIA H100 there, cpu here; torch 2.11.0",
    ),
}


@pytest.mark.parametrize("stage", ["steps", "study", "evaluation"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_gone_on_with_is_refused_and_left_alone(
    gpu, stage, case, tmp_path, capsys
):
    text, message = BROKEN[case]
    out = tmp_path / "gpu.json"
    out.write_text(text)
    assert call(gpu, stage, f"--out={out}", f"--results={tmp_path / 'results'}") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{out}: {message}")
    assert "--out" in error
    assert out.read_text() == text


def test_a_device_that_is_absent_is_refused_before_the_file_is_touched(gpu, tmp_path, capsys):
    if torch.cuda.is_available():
        pytest.skip("needs a machine without a GPU")
    out = tmp_path / "gpu.json"
    with pytest.raises(SystemExit) as end:
        gpu.main(["steps", "--device=cuda", f"--out={out}"])
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("no CUDA device was found.")
    assert not out.exists()


def test_an_evaluation_of_nothing_is_refused(gpu, tmp_path, capsys):
    out, results = tmp_path / "gpu.json", tmp_path / "results"
    assert call(gpu, "evaluation", f"--out={out}", f"--results={results}") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{results}: no run of the study 'mnist_rules' is finished there.")


def test_a_folder_without_figures_is_not_gone_on_from(gpu, tmp_path, capsys):
    asked = ["steps", f"--out={tmp_path / 'gpu.json'}", f"--go-on={tmp_path}"]
    assert call(gpu, *asked) == 2
    assert "there is neither gpu.json nor an archive of results" in capsys.readouterr().err


def archive_of(path, *runs):
    with tarfile.open(path, "w:gz") as archive:
        for run in runs:
            about = tarfile.TarInfo(f"study/{run}/recipe.toml")
            about.size = len(run)
            archive.addfile(about, BytesIO(run.encode()))


def test_what_was_trained_is_taken_up_whole_and_what_is_there_stays(gpu, tmp_path, capsys):
    archive_of(tmp_path / "results-0.tar.gz", "a", "b")
    (tmp_path / "results-1.tar.gz").write_bytes(b"no archive")
    archive_of(tmp_path / "results-2.tar.gz", "c")
    results = tmp_path / "results"
    (results / "study/b").mkdir(parents=True)
    (results / "study/b/recipe.toml").write_text("newer")
    asked = ["evaluation", f"--go-on={tmp_path}", f"--out={tmp_path / 'out'}"]
    asked.append(f"--results={results}")
    assert call(gpu, *asked) == 2
    assert "results-1.tar.gz: the archive cannot be read" in capsys.readouterr().err
    assert [path.parent.name for path in results.rglob("recipe.toml")] == ["b"]
    (tmp_path / "results-1.tar.gz").unlink()
    call(gpu, *asked)
    found = {path.parent.name: path.read_text() for path in results.rglob("recipe.toml")}
    assert found == {"a": "a", "b": "newer", "c": "c"}
    assert not list(results.glob(".taken-up-*"))


def test_an_archive_that_is_broken_is_named(gpu, tmp_path, capsys):
    (tmp_path / "results-0.tar.gz").write_bytes(b"no archive")
    into = [f"--out={tmp_path / 'out'}", f"--results={tmp_path / 'results'}"]
    assert call(gpu, "study", f"--go-on={tmp_path}", *into) == 2
    assert f"{tmp_path / 'results-0.tar.gz'}: the archive cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--device", "cuda:7"),
        ("--minutes", "0"),
        ("--minutes", "nan"),
        ("--side-by-side", "0"),
        ("--modes", "nonsense"),
        ("--rounds", "-1"),
    ],
)
def test_options_that_make_no_sense_are_refused(gpu, option, value, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        gpu.main(["steps", f"--out={tmp_path / 'gpu.json'}", option, value])
    assert end.value.code == 2
    assert f"argument {option}: " in capsys.readouterr().err


# What a stage does with cells that fail or do not end.


@pytest.fixture
def steps(gpu, monkeypatch):
    return import_module("benchmarks.gpu.steps")


def test_a_cell_that_failed_is_counted_and_tried_again_after_the_others(
    gpu, steps, tmp_path, monkeypatch
):
    tried = []

    def step(asked, cell):
        tried.append(cell.precision)
        if cell.precision == "tf32" and len(tried) < 4:
            raise RuntimeError("no such kernel")
        return {"images a second": len(tried)}

    monkeypatch.setattr(steps, "_step", step)
    asked = [*STEPS, "--layouts=nchw", f"--out={tmp_path}"]
    assert call(gpu, *asked) == 1
    failed = [name for name, one in figures(tmp_path)["steps"].items() if "failed" in one]
    assert [*failed] == [f"mnist, tf32, none, nchw, batch=2, {', '.join(OVERRIDES)}"]
    assert call(gpu, *asked) == 0
    assert tried == ["32-true", "tf32", "bf16-mixed", "tf32"]


def test_a_cell_that_does_not_end_is_ended(gpu, steps, tmp_path, monkeypatch):
    ended = []
    monkeypatch.setattr(steps, "GRACE", 0.0)
    monkeypatch.setattr(steps.os, "_exit", ended.append)
    monkeypatch.setattr(steps, "_step", lambda *_: time.sleep(1.0) or {"images a second": 1})
    call(gpu, *STEPS, "--layouts=nchw", f"--out={tmp_path}", "--minutes=0.005")
    assert ended == [1]  # alone in its call: it would fill the next one, too


def test_another_batch_is_another_cell(steps):
    cell = steps.Cell("mnist", "tf32", "graph", "nchw")
    names = {
        steps._name(Namespace(batch=batch, set=sets), cell)
        for batch in (0, 64)
        for sets in ([], ["training.pass_size=64"])
    }
    assert len(names) == 4
    assert cell.name in names


def test_an_archive_is_bounded_and_a_runs_files_stay_together(gpu, tmp_path, monkeypatch):
    output = import_module("benchmarks.gpu.output")
    monkeypatch.setattr(output, "PART", 1000)
    for number in range(5):
        run = tmp_path / "results" / f"seed-{number}"
        run.mkdir(parents=True)
        (run / "recipe.toml").write_bytes(b"")
        (run / "log.jsonl").write_bytes(bytes(400))
        (run / "checkpoint.pt").write_bytes(bytes(100 if number % 2 else 5000))
        if not number % 2:
            (run / "run.json").write_bytes(b"{}")
    parts = [*output._parts(tmp_path / "results")]
    assert [len({name.split("/")[0] for name, _, _ in part}) for part in parts] == [2, 2, 1]
    assert sorted(name for part in parts for name, _, _ in part if name.endswith(".pt")) == [
        "seed-1/checkpoint.pt",
        "seed-3/checkpoint.pt",
    ]
