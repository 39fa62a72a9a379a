"""Every example in a docstring of moat is run."""

import doctest
import inspect
import pkgutil
import warnings
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import pytest
import torch

import moat

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(moat.__path__, "moat.")
    if not name.startswith("moat.cli") and not name.endswith("__main__")
]


def examples_of(module: ModuleType) -> Iterator[doctest.DocTest]:
    """Yield the examples of the module, its functions, its classes and their methods.

    doctest's own search passes over functions that the shape check has wrapped.
    """
    finder = doctest.DocTestFinder(exclude_empty=True, recurse=False)
    scope = {"torch": torch, **vars(module)}
    documented: list[tuple[str, object]] = [(module.__name__, module)]
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) == module.__name__:
            documented.append((f"{module.__name__}.{name}", value))
            if inspect.isclass(value):
                documented += [
                    (f"{module.__name__}.{name}.{part}", method)
                    for part, method in vars(value).items()
                    if inspect.isfunction(inspect.unwrap(method)) or isinstance(method, property)
                ]
    for name, value in documented:
        yield from finder.find(value, name, module=module, globs=dict(scope))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        torch.manual_seed(0)
        for example in examples_of(import_module(name)):
            runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_examples_are_found_in_functions_under_the_shape_check():
    found = [e.name for e in examples_of(import_module("moat.geometry.grids")) if e.examples]
    assert found == ["moat.geometry.grids.resample"]
