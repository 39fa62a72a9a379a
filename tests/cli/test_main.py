"""What the shell sees: exit codes, no traceback, and the command to go on with."""

import io
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moat import cli
from moat.cli import app as commands
from moat.errors import RecipeError, TrainingError
from moat.runs import RunFolder

# Whoever starts the tests in the background may have told their children to ignore Ctrl-C.
CHILD = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from moat import cli; sys.argv[0] = 'moat'; cli.main()"
)


def child(*arguments: object, **keys) -> subprocess.Popen:
    command = [sys.executable, "-c", CHILD, *map(str, arguments)]
    return subprocess.Popen(command, stdout=-1, stderr=-1, text=True, **keys)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RecipeError("it is wrong.", where="r.toml", hint="mend it"), 2),
        (TrainingError("it is wrong.", where="r.toml", hint="mend it"), 1),
    ],
)
def test_what_moat_refuses_is_printed_and_becomes_an_exit_code(moat, monkeypatch, error, code):
    def refuse(**keys):
        raise error

    monkeypatch.setattr(commands, "app", refuse)
    answer = moat()
    assert (answer.code, answer.out, answer.err) == (
        code,
        "",
        "r.toml: it is wrong.\n  mend it\n",
    )


def test_an_interrupt_is_130_wherever_it_comes(moat, monkeypatch):
    def interrupt(**keys):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "app", interrupt)
    assert moat().code == 130


def test_what_a_terminal_cannot_show_is_no_reason_to_fail(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, encoding="ascii"))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))

    def refuse(**keys):
        raise RecipeError("0.1 → 0.2")

    monkeypatch.setattr(commands, "app", refuse)
    with pytest.raises(SystemExit):
        cli.main()
    sys.stderr.flush()
    assert written.getvalue() == b"0.1 ? 0.2\n"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["train", "--help"], ["--version"], ["nonsense"]]
)
def test_what_needs_no_network_does_not_import_torch(arguments):
    probe = "import atexit, sys; atexit.register(lambda: print(*sys.modules)); " + CHILD
    command = [sys.executable, "-c", probe, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    modules = answer.stdout.splitlines()[-1].split()
    assert "typer" in modules
    assert not {"torch", "numpy", "matplotlib", "pymoo", "lightning_fabric"} & set(modules)


def test_an_interrupted_study_keeps_its_checkpoint_and_says_how_to_go_on(recipe, tmp_path):
    path = recipe()
    asked = ["train", path.name, "--only", "plain", "--set", "training.epochs=10000"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    with child(*asked, cwd=tmp_path, env=env) as process:
        while not (begun := list(tmp_path.rglob("checkpoint.pt"))):
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    again = shlex.join(["moat", *asked])
    assert err.strip() == (
        f"Interrupted. Finished runs and the last checkpoint are kept. To go on:\n  {again}"
    )
    (checkpoint,) = begun
    kept = RunFolder(checkpoint.parent).load_checkpoint()
    assert kept["progress"]["epoch"] >= 1
    assert not (checkpoint.parent / "run.json").exists()


def test_the_command_to_go_on_finishes_an_interrupted_study(moat, recipe, monkeypatch):
    path, hits = recipe("epochs = 1", "epochs = 2"), []
    append = RunFolder.append_log

    def interrupt(self, record):
        append(self, record)
        if record["step"] == 8 and not hits:
            hits.append(record)
            raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "append_log", interrupt)
    answer = moat("train", path, "--only", "pgd-at", "--set", "optimizer.lr=0.05")
    assert answer.code == 130
    *_, command = answer.err.strip().splitlines()
    again = moat(*shlex.split(command)[1:])
    assert again.code == 0
    assert "1 run(s) done, 0 skipped as finished, 0 failed." in again.out
    (record,) = Path("results").rglob("run.json")
    steps = [r["step"] for r in RunFolder(record.parent).read_log()]
    assert steps == [2, 4, 6, 8, 10, 12]
