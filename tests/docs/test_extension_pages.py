"""The pages on models, data sets and listeners: their files and examples run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(?:# (\w+\.py)\n)?(.*?)^```$", re.S | re.M)

# Stand-ins for packages that moat does not depend on: they write what they are told to a file.
FAKES = {
    "wandb.py": """
        from types import SimpleNamespace
        def tell(*said): open("told.txt", "a").write(" ".join(map(str, said)) + "\\n")
        class Run:
            def __init__(self, name):
                self.name, self.summary = name, SimpleNamespace(update=self.update)
            def log(self, table, step): tell("log", self.name, step, *table)
            def update(self, table): tell("summary", self.name, *table)
            def finish(self, exit_code=0): tell("finish", self.name, exit_code)
        def init(project, name, config, reinit):
            tell("init", name, config["variant"])
            return Run(name)
    """,
    "mlflow.py": """
        from types import SimpleNamespace
        def tell(*said): open("told.txt", "a").write(" ".join(map(str, said)) + "\\n")
        class MlflowClient:
            def create_run(self, experiment, run_name):
                tell("init", run_name)
                return SimpleNamespace(info=SimpleNamespace(run_id=run_name))
            def log_param(self, run, key, value): tell("param", run, key, value)
            def log_metric(self, run, key, value, step=0): tell("log", run, step, key)
            def set_terminated(self, run, status="FINISHED"): tell("finish", run, status)
    """,
}
LISTEN = """
import moat
from {module} import listen

study = "small.toml"
result = moat.train(study, only=["plain"], listener=listen, device="cpu")
assert result.done
again = ["optimizer.lr=1e30"]
failed = moat.train(study, only=["plain"], overrides=again, listener=listen, device="cpu").failed
assert failed
"""


def laid_out(page: str, folder: Path) -> str:
    """Write a page's named files into a folder; return its other blocks as one script."""
    script = []
    for name, text in BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")):
        if name:
            (folder / name).write_text(text, "utf-8")
        else:
            script.append(text)
    return "\n".join(script)


def run(script: str, folder: Path) -> None:
    (folder / "script.py").write_text(script, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "script.py"],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", ["add-a-model.md", "add-a-dataset.md"])
def test_the_examples_of_a_page_run(page, tmp_path):
    run(laid_out(page, tmp_path), tmp_path)


@pytest.mark.parametrize("package", ["wandb", "mlflow"])
def test_a_listener_of_the_page_hears_a_study(package, tmp_path):
    import shutil
    from textwrap import dedent

    assert not laid_out("listener.md", tmp_path)
    (tmp_path / f"{package}.py").write_text(dedent(FAKES[package + ".py"]), "utf-8")
    (tmp_path / "wandb.py").write_text(dedent(FAKES["wandb.py"]), "utf-8")
    shutil.copy(ROOT / "tests" / "small.toml", tmp_path)
    run(LISTEN.format(module=f"{package}_listener"), tmp_path)
    told = (tmp_path / "told.txt").read_text("utf-8").splitlines()
    kinds = [line.partition(" ")[0] for line in told]
    assert kinds[0] == "init"
    assert kinds.count("init") == kinds.count("finish") == 2  # one run is done, one fails
    assert told[-1].endswith("FAILED" if package == "mlflow" else " 1")
    assert any("test." in line for line in told)
    assert any("loss.natural" in line for line in told)
