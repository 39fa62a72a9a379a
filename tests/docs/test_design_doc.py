"""The tables of docs/design.md are made from the contract of floors and from docstrings."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/design.md").read_text("utf-8")
SCRIPT = "scripts/design_table.py"
MODULES = {
    "moat/__init__.py": "The package.",
    "moat/words.py": "Words | signs, in one file.",
    "moat/rooms/__init__.py": "A room with a view.",
    "moat/rooms/door.py": "A door.\n\nIt opens.",
    "moat/rooms/attic/__init__.py": "A room under the roof.",
}


def floors() -> list[set[str]]:
    """Return the rooms of each floor by the contract, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = [one for one in contracts if one["type"] == "layers"]
    return [set(re.split(r"\s*[|:]\s*", layer)) for layer in contract["layers"]]


@pytest.fixture
def house(tmp_path):
    """A small house with the script, and a page that has a place for each table."""
    marks = [f"<!-- {name}:begin -->\n<!-- {name}:end -->" for name in ("floors", "rooms", "files")]
    texts = {name: f'"""{text}"""\n' for name, text in MODULES.items()}
    texts["docs/design.md"] = "\n\n".join(["# Design", *marks, "The end.\n"])
    texts["pyproject.toml"] = (
        '[tool.importlinter]\n[[tool.importlinter.contracts]]\ntype = "layers"\n'
        'layers = ["rooms", "words"]\n'
    )
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / SCRIPT, tmp_path / SCRIPT)
    return tmp_path


def run(house: Path, *options: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, str(house / SCRIPT), *options]
    return subprocess.run(call, capture_output=True, text=True)


def test_the_table_of_floors_is_the_contract():
    table = PAGE.partition("<!-- floors:begin -->")[2].partition("<!-- floors:end -->")[0]
    shown = re.findall(r"^\| (\d+) \| (.*) \|$", table, re.M)
    assert [set(re.findall(r"`(\w+)`", rooms)) for _, rooms in shown] == floors()
    assert [int(number) for number, _ in shown] == list(reversed(range(len(shown))))


def test_every_room_is_described():
    table = PAGE.partition("| room | content |")[2].partition("\n\n")[0]
    described = re.findall(r"^\| `(\w+)` \| .+\. \|$", table, re.M)
    assert set(described) == set().union(*floors())


def test_a_file_that_is_written_is_a_row_and_the_page_keeps_the_rest(house):
    assert run(house).returncode == 0
    page = (house / "docs/design.md").read_text("utf-8")
    assert page.startswith("# Design")
    assert page.endswith("The end.\n")
    assert "| 1 | `rooms` |\n| 0 | `words` |" in page
    assert "| `rooms` | A room with a view. |\n| `words` | Words \\| signs, in one file. |" in page
    assert (
        "| `rooms/attic/` | A room under the roof. |\n| `rooms/door.py` | A door. |\n<!--" in page
    )


def test_a_page_that_is_stale_fails_the_check_and_stays(house):
    assert run(house).returncode == 0
    assert run(house, "--check").returncode == 0
    (house / "moat/rooms/window.py").write_text('"""A window."""\n')
    before = (house / "docs/design.md").read_bytes()
    checked = run(house, "--check")
    assert checked.returncode == 1
    assert "its tables are stale. Run `make design-table`." in checked.stderr
    assert (house / "docs/design.md").read_bytes() == before
    assert run(house).returncode == run(house, "--check").returncode == 0


@pytest.mark.parametrize("text", ["", "no sentence", "Two\nlines."])
def test_a_module_without_a_sentence_is_named(house, text):
    (house / "moat/rooms/door.py").write_text(f'"""{text}"""\n')
    refused = run(house)
    assert refused.returncode != 0
    assert "door.py: the first line of its docstring is not a sentence" in refused.stderr


def test_a_page_without_a_place_for_a_table_is_refused(house):
    page = house / "docs/design.md"
    page.write_text(page.read_text().replace("<!-- files:end -->", ""))
    refused = run(house)
    assert refused.returncode != 0
    assert "the page has no place for the table 'files'" in refused.stderr


def test_make_check_looks_at_the_page():
    rule = (ROOT / "Makefile").read_text("utf-8").partition("\ncheck:")[2].partition("\n\n")[0]
    assert f"python {SCRIPT} --check" in rule
