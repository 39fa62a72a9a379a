"""Every example in a docstring of moat is run."""

import doctest
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch

import moat
from moat.registry import Registry

ROOT = Path(moat.__file__).parent


def module_name(source: Path) -> str:
    parts = source.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


WITH_EXAMPLES = sorted(
    module_name(source) for source in ROOT.rglob("*.py") if ">>>" in source.read_text("utf-8")
)


def examples_of(module: ModuleType) -> Iterator[doctest.DocTest]:
    """Yield the examples of the module, its functions, its classes and their methods.

    doctest's own search passes over functions that the shape check has wrapped.
    """
    documented: list[tuple[str, object]] = [(module.__name__, module)]
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) == module.__name__:
            documented.append((f"{module.__name__}.{name}", value))
            if inspect.isclass(value):
                documented += [
                    (f"{module.__name__}.{name}.{part}", method)
                    for part, method in vars(value).items()
                    if isinstance(method, property | classmethod | staticmethod)
                    or inspect.isfunction(method)
                ]
    finder = doctest.DocTestFinder(recurse=False)
    for name, value in documented:
        yield from finder.find(value, name, module, globs={"torch": torch, **vars(module)})


@pytest.fixture
def registries(monkeypatch):
    """Registries that forget, after the test, what an example declared."""
    for room in ("threats", "scalarizers", "models", "data"):
        registry = import_module(f"moat.{room}.base").registry
        assert isinstance(registry, Registry)
        registry.entries()  # packages are read once, and stay known
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))


@pytest.mark.usefixtures("registries")
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_in_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner()
    report: list[str] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for example in examples_of(import_module(name)):
            runner.run(example, out=report.append)
    assert not runner.failures, "".join(report)
    assert runner.tries, "examples stand where nobody looks for them"
    assert list(tmp_path.iterdir()) == [], "an example leaves files behind"


def test_an_example_is_found_in_a_function_under_the_shape_check():
    grids = import_module("moat.geometry.grids")
    assert hasattr(grids.resample, "__wrapped__")
    found = [test.name for test in examples_of(grids) if test.examples]
    assert "moat.geometry.grids.resample" in found
