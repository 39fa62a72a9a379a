"""Shares so far become shares of each quarter."""

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def reach(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.out_of_reach")


def test_shares_so_far_become_shares_of_each_quarter(reach):
    outside = [0] * 100 + [1, 0] * 50 + [1, 1, 1, 0] * 25 + [1] * 100
    log = [
        {"step": step, "clamped_share": sum(outside[:step]) / step}
        for step in range(10, len(outside) + 1, 10)
    ]
    assert reach.by_quarter([*log, {"step": 400, "validation": {}}]) == pytest.approx(
        [0, 50, 75, 100], abs=3
    )


def test_a_log_without_the_share_has_none(reach):
    assert reach.by_quarter([{"step": 10, "loss": {}}]) is None


def test_the_settings_of_a_study_are_listed_with_their_seeds(reach, golden):
    lines = reach.table(golden / "digits_pareto").splitlines()
    assert lines
    assert all(line.split()[-1].endswith(")") for line in lines[1:])
    assert any(line.startswith("pareto r=0.7") and " 3 " in line for line in lines[1:])
