"""What commands list, as tables, and scores as a line."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from moat.catalogue import CatalogueEntry
from moat.cli.display import scores_line
from moat.cli.estimates_sheet import estimates_sheet, estimates_table
from moat.cli.names_sheet import names_sheet
from moat.sheets import terminal_of
from moat.study import estimate_all, plan


def text_of(table: Any, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(table)
    return console.export_text()


def test_scores_are_one_line_in_percent():
    scores = {"natural": 97.25, "scores": {"pgd": 50.0, "flow": None}, "union": 40.0}
    assert scores_line(scores) == "natural 97.2  pgd 50.0  flow -  union 40.0"


def test_what_is_listed_says_why_it_could_not_be_loaded():
    listed = [
        CatalogueEntry(
            "broken", "moat-broken 0.1", error="ImportError: no [red] module [/nowhere]"
        ),
        CatalogueEntry("good", "moat", "Shift the image by [a, b]: it stays."),
        CatalogueEntry("silent", "moat"),
    ]
    text = text_of(terminal_of(names_sheet("threats", listed), gap=2))
    assert "description" in text
    assert "Shift the image by [a, b]: it stays." in text
    assert "not loaded: ImportError: no [red] module [/nowhere]" in text
    assert text.count("not loaded") == 1


def test_estimates_are_listed_with_their_sum(recipe):
    estimates = estimate_all(plan(recipe()), "cpu")
    text = text_of(terminal_of(estimates_sheet(estimates), gap=2))
    assert (
        "search and descent: at most, forwards/backwards of the network per training image"
        in " ".join(text.split())
    )
    assert "4 run(s), about " in text
    columns = ("run", "seed", "epochs", "search", "descent", "evaluation", "train", "test", "time")
    for column in columns:
        assert column in text


@pytest.mark.parametrize("has_data", [True, False])
def test_the_notes_below_estimates_explain_the_columns_that_are_shown(recipe, has_data):
    path = recipe() if has_data else recipe('"digits"', '"mnist"\nroot = "nowhere"')
    estimates = estimate_all(plan(path), "cpu")
    for width in (40, 60, 80, 100, 140):
        table = estimates_table(estimates, width)
        notes = " ".join(table.sheet.notes)
        explained = notes.partition("Omitted for lack of room")[0]
        for name in ("search", "descent", "evaluation", "passes"):
            is_there = name in table.sheet.headings
            found = re.search(rf"\b{name}(?: and \w+)?: ", explained)
            assert bool(found) == is_there, (width, name, notes)
        assert ("times: measured" in notes) == has_data
