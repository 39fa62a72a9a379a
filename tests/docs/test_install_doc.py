"""No text tells anybody to install another project's distribution."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("moat", "docs", "recipes", "plugins", "scripts", "benchmarks", ".ci", "examples")
TEXTS = [
    *ROOT.glob("*.md"),
    *(ROOT / name for name in ("Makefile", "moat_robust.py", "mkdocs.yml", "pyproject.toml")),
    *(path for name in FOLDERS for path in (ROOT / name).rglob("*") if path.is_file()),
]
READ = (".md", ".py", ".toml", ".sh", ".yml", ".ipynb", "")
ENDS = re.compile(r"[`,;#]|\s(in|for|and|then)\s")  # of what is a command in a sentence
PROJECTS = [ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]


def strangers(text: str) -> list[str]:
    """Return what a text has pip install of another project: `moat`, with extras or a version."""
    asked = [ENDS.split(call)[0].split() for call in re.findall(r"pip3? install([^\n]*)", text)]
    words = [word.strip("'\"().:") for words in asked for word in words]
    named = [word for word in words if re.match(r"moat([\[=<>~!]|$)", word)]
    return named + re.findall(r"\bmoat\[[a-z,]+\]", text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("pip install moat", True),
        ("needs `pip install torch moat`, and", True),
        ("pip install --upgrade moat.", True),
        ("pip install 'moat[tensorboard]'", True),
        ("uv pip install moat==0.1", True),
        ("pip install -e .", False),
        ("pip install -e . -e plugins/moat-photometric", False),
        ("pip install dist/moat_robust-*.whl", False),
        ("pip install 'moat-robust[tensorboard] @ git+https://HOST/OWNER/moat'", False),
    ],
)
def test_the_stranger_is_told_from_ours(text, wrong):
    assert bool(strangers(text)) == wrong


def test_no_text_tells_to_install_the_stranger():
    known = {path for path in TEXTS if path.suffix in READ and "__pycache__" not in path.parts}
    assert len(known) > 300
    told = {
        f"{path.relative_to(ROOT)}: {found}"
        for path in known - {ROOT / "CHANGELOG.md"}
        if (found := strangers(path.read_text("utf-8", errors="replace")))
    }
    assert told == set()


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_distributions_have_our_name_and_require_no_other(path):
    project = tomllib.loads(path.read_text("utf-8"))["project"]
    assert re.match(r"moat-robust(-|$)", project["name"])
    extras = project.get("optional-dependencies", {}).values()
    required = [*project["dependencies"], *(one for extra in extras for one in extra)]
    assert not [one for one in required if re.match(r"moat(?!-robust)", one)]
