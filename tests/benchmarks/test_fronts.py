"""The benchmark of fronts in small: its copies are runs, and every part is timed."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from moat.report import read_points

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fronts(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.fronts")


@pytest.fixture
def results(tmp_path, recipe):
    from moat.study import train

    return train(recipe(), only=["plain", "pgd-at"], results=tmp_path / "results").folder


def test_copies_are_settings_of_their_own_and_no_better_than_their_runs(fronts, results, tmp_path):
    fronts.copies(results, 5, tmp_path / "copies")
    points, skipped = read_points(tmp_path / "copies")
    assert skipped == []
    assert len({point.label for point in points}) == 5
    runs, _ = read_points(results)
    for place, point in enumerate(points):
        assert (point.outcomes.values <= runs[place % 2].outcomes.values).all()
    assert len({point.outcomes.values.tobytes() for point in points}) == 5
    assert points[0].outcomes.values.dtype == np.int8


def test_every_part_is_timed(fronts, results, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fronts", str(results), "--runs", "4", "--points", "9"])
    fronts.main()
    said = capsys.readouterr().out
    for part in ("start-up", "filtering 9 points", "fronts", "tables", "files", "4 runs"):
        assert part in said
