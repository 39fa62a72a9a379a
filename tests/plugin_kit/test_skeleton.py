"""A skeleton passes moat check and its own tests at once, and takes nobody's place."""

import importlib
import inspect
import itertools
import sys
import tomllib

import pytest

from moat.errors import DefinitionError, ForeignFileError
from moat.plugin_kit.candidate import candidate_of
from moat.plugin_kit.skeleton import GROUPS, write_skeleton
from moat.plugin_kit.trials import trial_of
from moat.testing import check_faults

NAMES = {"threat": "kit-haze", "scalarizer": "kit-even", "model": "kit-mlp", "dataset": "kit-bands"}


@pytest.fixture
def importable(monkeypatch):
    """Let packages of a folder be imported, and forget them afterwards."""
    known = set(sys.modules)
    yield lambda folder: monkeypatch.syspath_prepend(str(folder))
    for name in set(sys.modules) - known:
        if name.startswith(("moat_kit_", "test_kit_", "moat_local_")):
            del sys.modules[name]


def run_tests(module, tmp_path):
    """Call each test of a module with every combination of its parameters; return how many."""
    ran = 0
    tests = [one for name, one in vars(module).items() if name.startswith("test_")]
    for test in tests:
        marks = [mark.args for mark in getattr(test, "pytestmark", [])]
        for values in itertools.product(*(listed for _, listed in marks)):
            given = dict(zip((name for name, _ in marks), values, strict=True))
            if "tmp_path" in inspect.signature(test).parameters:
                given["tmp_path"] = tmp_path
            test(**given)
            ran += 1
    return ran


@pytest.mark.parametrize("kind", GROUPS)
def test_it_passes_the_check_and_its_own_tests_at_once(kind, tmp_path, importable):
    name = NAMES[kind]
    module = name.replace("-", "_")
    folder = tmp_path / "made" / "here"
    files = write_skeleton(kind, name, folder)
    assert {file.relative_to(folder).as_posix() for file in files} >= {
        *("pyproject.toml", "README.md", f"moat_{module}/__init__.py", f"moat_{module}/py.typed"),
        *(f"moat_{module}/{module}.py", f"tests/test_{module}.py", f"recipes/{name}.toml"),
    }
    assert sorted(files) == sorted(path for path in folder.rglob("*") if path.is_file())
    importable(folder)
    importable(folder / "tests")
    assert run_tests(importlib.import_module(f"test_{module}"), tmp_path / "results") >= 3
    found = list(trial_of(candidate_of(str(folder / f"moat_{module}/{module}.py"))).verdicts())
    assert [one.breach for one in found if one.breach] == []
    assert sum(one.state == "kept" for one in found) >= 7
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["dependencies"][0]) == (f"moat-robust-{name}", "moat-robust")
    readme = (folder / "README.md").read_text()
    assert "`moat-robust`, which is not on PyPI yet" in readme
    assert "pypi.org" not in readme
    (point,) = project["entry-points"][f"moat.{GROUPS[kind]}"].items()
    cls = "".join(part.capitalize() for part in name.split("-"))
    assert point == (name, f"moat_{module}:{cls}")


@pytest.mark.parametrize("kind", GROUPS)
@pytest.mark.parametrize("name", ["model", "split", "data", "path", "a1", "test"])
def test_a_class_of_any_name_hides_nothing_that_it_uses(kind, name, tmp_path):
    for file in write_skeleton(kind, name, tmp_path / "made"):
        if file.suffix == ".py":
            compile(file.read_text(), str(file), "exec")
    module = (tmp_path / "made" / f"moat_{name}" / f"{name}.py").read_text()
    (declared,) = [line for line in module.splitlines() if line.startswith("class ")]
    assert declared.partition("(")[0].removeprefix("class ") not in {
        word for line in module.splitlines() if " import " in line for word in line.split(" ")[3:]
    }


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("threat", "My Noise", "a threat cannot be called 'My Noise'"),
        ("threat", "noise_2", "at most 40 lower-case letters, digits and hyphens"),
        ("model", "2-layers", r"a model cannot be called '2-layers'\.\n.*starts with a letter"),
        ("dataset", "a--b", "a data set cannot be called 'a--b'"),
        ("dataset", "../up", r"cannot be called '\.\./up'"),
        ("threat", "", "cannot be called ''"),
        ("threat", "a" * 41, "cannot be called"),
        ("scalarizer", "lambda", "that is a word of Python"),
        ("threat", "natural", "that is the objective without a threat"),
        ("threat", "pgd", "moat-robust has a threat called 'pgd'"),
        ("dataset", "digits", "moat-robust has a data set called 'digits'"),
        ("threat", "photometric", r"moat-robust-photometric \S+ has a threat called 'photometric'"),
    ],
)
def test_a_bad_name_is_refused_and_nothing_is_written(kind, name, said, tmp_path):
    with pytest.raises(DefinitionError, match=said):
        write_skeleton(kind, name, tmp_path / "made")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kit-taken", r"the distribution Moat.Robust_kit-Taken 2\.0 is installed"),
        ("kit-owned", "a module moat_kit_owned is installed"),
    ],
)
def test_a_name_whose_package_is_installed_is_refused(name, said, tmp_path, monkeypatch):
    site = tmp_path / "site"
    info = site / "Moat.Robust_kit_Taken-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: Moat.Robust_kit-Taken\nVersion: 2.0"
    )
    (site / "moat_kit_owned.py").write_text("")
    monkeypatch.syspath_prepend(str(site))
    with pytest.raises(DefinitionError, match=rf"{said}, which the new package.*\n.*uninstall it"):
        write_skeleton("scalarizer", name, tmp_path / "made")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("make", ["mkdir", "touch", "symlink"])
def test_what_is_there_is_not_replaced(make, tmp_path):
    there = tmp_path / "made"
    if make == "symlink":
        there.symlink_to(tmp_path / "nowhere")
    else:
        getattr(there, make)()
    with pytest.raises(ForeignFileError, match=r"there already.*\n.*--folder"):
        write_skeleton("threat", "kit-haze", there)
    assert [*tmp_path.iterdir()] == [there]


def test_the_folder_is_whole_or_not_there(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")

    def write():
        write_skeleton("dataset", "kit-bands", folder / "moat-kit-bands")

    assert check_faults(folder, write, most=6) == 6
