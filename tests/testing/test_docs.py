"""Every block of the pages for plug-in authors runs, or stands in the file that it names."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(python|toml|sh)\n(.*?)^```$", re.S | re.M)
FILE = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")


TUTORIAL = re.compile(r"^## From a skeleton.*?(?=^## )", re.S | re.M)
"""Is followed in an environment of its own, by tests/test_distribution.py."""


def blocks(page: str) -> list[tuple[str, str]]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    assert page != "write-a-plugin.md" or TUTORIAL.search(text)
    found = BLOCK.findall(TUTORIAL.sub("", text))
    assert found, page
    return found


@pytest.mark.parametrize("page", ["add-a-threat.md", "add-a-scalarizer.md", "write-a-plugin.md"])
def test_every_block_runs(page, tmp_path):
    script = ["import sys", "sys.path.insert(0, '')", "import moat.cli"]
    for language, text in blocks(page):
        named = FILE.match(text)
        if language == "sh":
            commands = [line.split() for line in text.splitlines() if line.startswith("moat ")]
            script += [COMMAND.format(command) for command in commands]
        elif named is None:
            script.append(text)
        elif not (ROOT / named[1]).is_file():
            (tmp_path / named[1]).write_text(text, "utf-8")
    # A process of its own, so that no other test meets what is declared here; one thread, since
    # torch's threads wait for each other where the machine is shared.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


COMMAND = """
sys.argv = {}
try:
    moat.cli.main()
except SystemExit as end:
    assert not end.code, sys.argv
"""


def test_what_is_quoted_from_a_plug_in_stands_in_it():
    quoted = 0
    for _, text in blocks("write-a-plugin.md"):
        named = FILE.match(text)
        if named and named[1].startswith("plugins/"):
            assert text[named.end() :] in (ROOT / named[1]).read_text("utf-8"), text
            quoted += 1
    assert quoted == 7


def test_links_between_the_pages_lead_somewhere():
    for page in ("add-a-threat.md", "add-a-scalarizer.md", "write-a-plugin.md"):
        text = (ROOT / "docs" / page).read_text("utf-8")
        for target, anchor in re.findall(r"\]\(([\w.-]+\.md)(?:#([\w-]+))?\)", text):
            headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / target).read_text("utf-8"), re.M)
            anchors = {heading.lower().replace(" ", "-") for heading in headings}
            assert not anchor or anchor in anchors, (page, target, anchor)
