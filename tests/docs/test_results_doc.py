"""docs/results.md and docs/results.ipynb run as they stand, over the demo's results."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

import moat
from moat.frames import comparison, examples_frame, runs_frame, scores_frame

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "results.md").read_text("utf-8")


@pytest.fixture
def beside(golden, tmp_path, monkeypatch):
    """A working folder with the results in results/digits_pareto, as after `make demo`."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results/digits_pareto").symlink_to(golden / "digits_pareto")
    monkeypatch.chdir(tmp_path)


def run(blocks):
    names = {}
    for block in blocks:
        exec(compile(block, "docs/results.md", "exec"), names)
    return names


@pytest.mark.usefixtures("beside")
def test_the_examples_of_the_page_run():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len(blocks) == 8
    names = run(blocks)
    assert names["hardest"]["share"].is_sorted()
    assert Path("radar.pdf").read_bytes().startswith(b"%PDF")
    assert names["three"].preferred


@pytest.mark.usefixtures("beside")
def test_the_notebook_runs_and_keeps_no_output():
    cells = json.loads((DOCS / "results.ipynb").read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in code)
    names = run("".join(cell["source"]) for cell in code)
    assert isinstance(names["found"], moat.frames.Results)


def table_below(heading):
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \|", section, re.M)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("Runs", {*runs_frame.RUNS_SCHEMA, "sweep.<key>"}),
        ("Examples", set(examples_frame.EXAMPLES_SCHEMA)),
    ],
)
def test_the_page_names_every_column(heading, columns):
    assert table_below(heading) == columns


def test_the_page_names_every_score(golden):
    scores = moat.results(golden / "digits_pareto").scores
    assert table_below("Scores") - {"score"} == set(scores["score"])
    prose = PAGE.partition("## Scores\n")[2].partition("\n## ")[0]
    own = set(scores_frame.SCORES_SCHEMA) - set(runs_frame.RUNS_SCHEMA)
    assert own <= set(re.findall(r"`([^`]+)`", prose))
    assert scores.schema == pl.Schema(scores_frame.SCORES_SCHEMA)
    assert "difference" in comparison.COMPARISON_SCHEMA
