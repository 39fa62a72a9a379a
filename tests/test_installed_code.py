import json
from pathlib import Path

import pytest
import torch

from moat.installed_code import is_installed
from moat.local_imports import imports_of, module_files


def test_pythons_own_and_packages_files_are_installed():
    assert is_installed(Path(json.__file__))
    assert is_installed(Path(torch.__file__))
    assert not is_installed(Path(__file__))


RECORDED = {"RECORD": "wide/__init__.py,sha256=x,1\nwide/inner.py,,\nsix_more.py,,\n"}
METADATA = {
    "its list of files": RECORDED,
    "its modules' names": {"top_level.txt": "wide\nsix_more\n"},
}


@pytest.fixture(params=METADATA)
def target(request, tmp_path):
    """A folder as `pip install --target` fills it, with a file of the user's beside."""
    files = {f"wide-1.0.dist-info/{name}": text for name, text in METADATA[request.param].items()}
    files |= {"wide/__init__.py": "from wide import inner", "wide/inner.py": ""}
    files |= {"six_more.py": "", "mine.py": "import wide\nimport six_more", "wider/__init__.py": ""}
    for place, text in files.items():
        (tmp_path / "deps" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "deps" / place).write_text(text)
    return tmp_path / "deps"


@pytest.mark.parametrize("name", ["wide", "wide.inner", "six_more"])
def test_a_distributions_module_is_installed_in_whatever_folder(target, name):
    assert module_files(name, [target]) == {}


def test_a_file_beside_a_distribution_is_the_users(target):
    plugin = target.parent / "plug.py"
    plugin.write_text("import mine\nimport wider\nimport wide.inner")
    assert sorted(imports_of(plugin, [target])) == ["mine.py", "wider/__init__.py"]


def test_a_link_to_a_distributions_module_is_installed(target):
    (target.parent / "linked").mkdir()
    (target.parent / "linked/wide").symlink_to(target / "wide")
    assert module_files("wide", [target.parent / "linked"]) == {}


def test_a_module_is_the_users_before_and_after_its_distribution_is_there(target):
    module = target / "later.py"
    module.write_text("")
    assert not is_installed(module)
    (target / "later-2.dist-info").mkdir()
    (target / "later-2.dist-info/RECORD").write_text("later.py,,\n")
    assert is_installed(module)


def test_an_editable_installation_leaves_its_files_to_the_user(target):
    (target / "mine-1.dist-info").mkdir()
    (target / "mine-1.dist-info/RECORD").write_text("__editable__.mine-1.pth,,\n")
    assert not is_installed(target / "mine.py")
