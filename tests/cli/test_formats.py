import csv
import io
import json
import shutil

import pytest
from typer.testing import CliRunner

from moat.cli.app import app

FORMS = ("markdown", "csv", "latex", "json")


@pytest.fixture
def demo(golden, tmp_path, monkeypatch):
    """The demo's results in a working folder of its own."""
    (tmp_path / "demo").symlink_to(golden / "demo")
    monkeypatch.chdir(tmp_path)
    return "demo"


def told(*arguments):
    answer = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def commands(demo):
    one, other = f"{demo}/average-at/seed-0", f"{demo}/max-at/seed-0"
    return {
        "front": ("front", demo),
        "report": ("report", demo),
        "against": ("report", demo, "--against", demo),
        "score": ("score", one, other),
        "compare": ("compare", one, other),
        "list": ("list", "threats"),
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["front", "report", "against", "score", "compare", "list"])
def test_a_command_prints_one_form_and_nothing_else(demo, name, form, tmp_path):
    before = set(tmp_path.rglob("*"))
    text = told(*commands(demo)[name], "--format", form)
    assert set(tmp_path.rglob("*")) == before
    if form == "json":
        assert json.loads(text)
    elif form == "csv":
        rows = list(csv.reader(io.StringIO(text)))
        assert len(rows) > 1
        assert len({len(row) for row in rows}) == 1
    elif form == "latex":
        assert text.count(r"\begin{table}") == text.count(r"\end{table}") > 0
    else:
        assert "| ---" in text


def test_a_form_of_a_front_is_its_file(demo, tmp_path):
    text = told("front", demo, "--format", "csv", "--out", str(tmp_path / "out"))
    assert text == (tmp_path / "out/front.csv").read_text("utf-8")


def test_groups_that_are_not_comparable_are_not_one_file(golden, tmp_path):
    for number in range(2):
        shutil.copytree(golden / "demo/natural/seed-0", tmp_path / f"r/{number}")
    record = json.loads((tmp_path / "r/1/run.json").read_text())
    record["data"]["digest"] = "another"
    (tmp_path / "r/1/run.json").write_text(json.dumps(record))
    for command in ("front", "report"):
        answer = CliRunner().invoke(app, [command, str(tmp_path / "r"), "--format", "csv"])
        assert str(answer.exception) == (
            "--format: these runs form 2 groups that are not comparable, and csv holds one.\n"
            f"  --out FOLDER writes a file for each, {command}-1.csv and so on."
        )
        assert told(command, str(tmp_path / "r"), "--format", "markdown").count("| ---") >= 2


def test_json_has_two_names(demo):
    for name in ("score", "compare"):
        command = commands(demo)[name]
        assert told(*command, "--json") == told(*command, "--format", "json")
