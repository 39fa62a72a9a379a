"""What the reading commands say of the demo and of three seeds of it, against kept files.

Digits beyond the tenth are left to the machine: sums in another order end otherwise. With
MOAT_GOLDEN=write in the environment the files are written anew instead.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from moat.cli.app import app

KEPT = Path(__file__).parent
COMMANDS = {
    "front": ("front", "{results}", "--out", "out"),
    "front-three": ("front", "{results}", "--objectives", "natural,pgd,flow", "--out", "out-three"),
    "report": ("report", "{results}", "--out", "out"),
    "score": ("score", "{results}/average-at/seed-0"),
    "compare": (
        "compare",
        "{results}/average-at/seed-0",
        "{results}/max-at/seed-0",
        "--out",
        "out",
    ),
    "front-latex": ("front", "{results}", "--format", "latex"),
    "report-latex": ("report", "{results}", "--format", "latex"),
    "score-markdown": ("score", "{results}/average-at/seed-0", "--format", "markdown"),
    "watch": ("watch", "{results}", "--once"),
}
FILES = (
    *("out/front.csv", "out/front.json", "out/report.md", "out/report.csv"),
    *("out/compare.md", "out/compare.csv", "out/compare.json"),
)


def told(text: str) -> str:
    """Return a text with every number at ten significant digits."""
    return re.sub(r"-?\d+\.\d{6,}(e-?\d+)?", lambda number: f"{float(number[0]):.10g}", text)


@pytest.fixture(scope="module", params=["demo", "digits_pareto"])
def made(request, golden, tmp_path_factory):
    """The folder of one set of results, with every file that the commands wrote and said."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(golden / request.param, folder / request.param)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name, command in COMMANDS.items():
            asked = [part.format(results=request.param) for part in command]
            answer = CliRunner().invoke(app, asked, catch_exceptions=False)
            assert answer.exit_code == 0, answer.output
            (folder / f"{name}.txt").write_text(answer.output, "utf-8")
    finally:
        os.chdir(before)
    return folder


@pytest.mark.parametrize("name", [*FILES, *(f"{command}.txt" for command in COMMANDS)])
def test_a_view_of_the_demo_is_as_it_was(made, name):
    kept = KEPT / made.name.rstrip("0123456789") / Path(name).name
    said = told((made / name).read_text("utf-8"))
    if os.environ.get("MOAT_GOLDEN") == "write":
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(said, "utf-8")
    assert said == kept.read_text("utf-8")
