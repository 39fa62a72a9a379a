"""Which local modules a file imports, told from its text."""

import sys
from pathlib import Path

import pytest

from moat.local_imports import imports_of, module_files


@pytest.fixture
def tree(tmp_path):
    """A folder with modules that import one another in every way; none of them can run."""
    texts = {
        "plug.py": """
import os, numpy, torch.nn, moat.threats, plain, deep.down.below as b
from pkg import part, name
def later():
    from late import thing
if False:
    import never
try:
    import absent
except ImportError:
    pass
""",
        "plain.py": "from pkg.sibling import *",
        "late.py": "import plug, late",
        "never.py": "raise SystemExit",
        "unused.py": "",
        "numpy.py": "",
        "pkg/__init__.py": "from . import inner\nfrom .other import x",
        "pkg/part.py": "from .sub import leaf\nfrom ..beyond import x\nfrom ...far import y",
        "pkg/sibling.py": "this is no Python",
        "pkg/inner.py": "\x00",
        "pkg/other.py": "from pkg.inner import z",
        "pkg/unused.py": "",
        "pkg/sub/__init__.py": "",
        "pkg/sub/leaf.py": "",
        "deep/down/below.py": "",
    }
    for place, text in texts.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)
    return tmp_path


def test_all_that_is_imported_is_found_and_nothing_else(tree):
    installed = [Path(entry) for entry in sys.path if "site-packages" in entry]
    found = imports_of(tree / "plug.py", [*installed, tree])
    assert sorted(found) == [
        *("deep/down/below.py", "late.py", "never.py"),
        *("pkg/__init__.py", "pkg/inner.py", "pkg/other.py", "pkg/part.py", "pkg/sibling.py"),
        *("pkg/sub/__init__.py", "pkg/sub/leaf.py", "plain.py", "plug.py"),
    ]
    assert all(file == tree / place for place, file in found.items())


def test_a_folder_that_comes_first_wins(tree):
    assert module_files("numpy", [tree]) == {"numpy.py": tree / "numpy.py"}


@pytest.mark.parametrize("name", ["json", "sys", "torch.nn", "moat.threats", "no_such", ""])
def test_what_is_installed_or_not_there_is_not_local(name):
    assert module_files(name, [Path(entry) for entry in sys.path if entry]) == {}
