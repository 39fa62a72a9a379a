"""Modules of one folder, apart from all others of their names."""

import importlib
import sys

import pytest

from moat.kept_modules import modules_of


@pytest.fixture
def roots(tmp_path, monkeypatch):
    """Three folders with a module of one name; the first is on Python's path."""
    for number in range(3):
        root = tmp_path / str(number)
        (root / "space").mkdir(parents=True)
        (root / "kept_mod.py").write_text(f"number = {number}\nimport kept_mod_{number}\n")
        (root / f"kept_mod_{number}.py").write_text("runs = []\nruns.append(1)\n")
        (root / "space" / "inner.py").write_text("from kept_mod import number\n")
    monkeypatch.syspath_prepend(tmp_path / "0")
    yield [tmp_path / str(number) for number in range(3)]
    for name in [name for name in sys.modules if name.startswith("kept_mod")]:
        del sys.modules[name]


def imported(root) -> int:
    with modules_of(root):
        return importlib.import_module("kept_mod").number


def test_each_folder_has_its_own_and_nobody_elses_changes(roots):
    before = dict(sys.modules)
    assert imported(roots[1]) == 1
    assert sys.modules == before
    assert importlib.import_module("kept_mod").number == 0
    assert [imported(roots[n]) for n in (2, 1, 2)] == [2, 1, 2]
    assert imported(None) == 0
    assert sys.modules["kept_mod"].number == 0


def test_a_module_runs_once_however_often_its_folder_is_asked(roots):
    with modules_of(roots[1]):
        first = importlib.import_module("kept_mod_1")
    with modules_of(roots[1]), modules_of(roots[1]):
        assert importlib.import_module("kept_mod_1") is first


def test_packages_without_an_init_are_found(roots):
    with modules_of(roots[2]):
        assert importlib.import_module("space.inner").number == 2
    assert "space" not in sys.modules


def test_what_code_imports_when_it_is_called_is_found_where_it_is_nowhere_else(roots):
    imported(roots[2])
    assert importlib.import_module("kept_mod_2").runs == [1]
    assert importlib.import_module("kept_mod").number == 0


def test_an_error_leaves_all_as_it_was(roots):
    (roots[1] / "kept_mod.py").write_text("1 / 0")
    before, finders = dict(sys.modules), len(sys.meta_path)
    with pytest.raises(ZeroDivisionError):
        imported(roots[1])
    assert sys.modules == before
    assert len(sys.meta_path) <= finders + 1


def test_no_compiled_code_is_written(roots, tmp_path):
    imported(roots[1])
    assert not list((tmp_path / "1").rglob("*.pyc"))
