"""The command, where another project's `moat` hides this one's module."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def started(*before: Path, root: Path = ROOT):
    """Run `moat --version` as the command does, with some folders before moat's on the path."""
    path = os.pathsep.join(map(str, (*before, root)))
    return subprocess.run(
        [sys.executable, "-P", "-c", "from moat_robust import main; main()", "--version"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_the_command_runs_where_nothing_hides_moat():
    done = started()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("moat ")


@pytest.mark.parametrize("file", ["moat/__init__.py", "moat.py"])
@pytest.mark.parametrize("text", ["", "raise RuntimeError('a stranger')"])
def test_a_module_that_hides_moat_is_named_and_not_run(tmp_path, file, text):
    (tmp_path / "moat").mkdir()
    hiding = tmp_path / file
    hiding.write_text(text)
    done = started(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"moat-robust: Python imports another project's `moat`, {hiding}, instead of "
        "moat-robust's: uninstall it (pip uninstall moat) or take its folder off PYTHONPATH, then "
        "install moat-robust again.\n"
    )


def test_a_module_that_was_installed_over_moat_is_named(tmp_path):
    (tmp_path / "moat_robust.py").write_bytes((ROOT / "moat_robust.py").read_bytes())
    (tmp_path / "moat").mkdir()
    (tmp_path / "moat" / "__init__.py").write_text("__version__ = '0.10.1'\n")
    done = started(root=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"another project's `moat`, {tmp_path}/moat/__init__.py," in done.stderr


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("ImportError('no typer', name='typer')", "ImportError: no typer"),
        ("OSError('libcudart.so: cannot open')", "OSError: libcudart.so: cannot open"),
        ("RuntimeError('built for another numpy')", "RuntimeError: built for another numpy"),
    ],
)
def test_a_required_package_that_cannot_be_imported_is_named(tmp_path, raised, said):
    (tmp_path / "typer").mkdir()
    (tmp_path / "typer" / "__init__.py").write_text(f"raise {raised}")
    done = started(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"moat-robust: the package typer cannot be imported: {said}.\n"
        "  `moat doctor` names the fault and the mend.\n"
    )
