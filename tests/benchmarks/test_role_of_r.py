"""Shares so far become shares of all and of each quarter, and logged weights their means."""

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def role(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.role_of_r")


def test_shares_so_far_become_shares_of_each_quarter(role):
    outside = [0] * 100 + [1, 0] * 50 + [1, 1, 1, 0] * 25 + [1] * 100
    log = [
        {"step": step, "clamped_share": sum(outside[:step]) / step}
        for step in range(10, len(outside) + 1, 10)
    ]
    last = {"step": 400, "validation": {}}
    assert role.out_of_reach(
        [*log, last], {"scalarizer": {"clamped_share": 0.5625}}
    ) == pytest.approx([56.25, 0, 50, 75, 100], abs=3)


def test_a_log_without_the_share_has_none(role):
    assert role.out_of_reach([{"step": 10, "loss": {}}], {}) is None


def test_the_weight_of_the_natural_loss_is_the_mean_of_each_quarter(role):
    log = [
        {"weight": {"natural": value, "pgd": 1 - value}} for value in (1, 0.5, 0.5, 0, 0, 0, 0, 1)
    ]
    assert role.natural_weight([*log, {"validation": {}}], {}) == [37.5, 75, 25, 0, 50]


def test_a_rule_without_the_natural_loss_has_no_weight_of_it(role):
    assert role.natural_weight([{"weight": {"pgd": 1.0}}] * 8, {}) is None


def test_the_settings_of_a_study_are_listed_with_their_seeds(role, golden):
    lines = role.table(golden / "digits_pareto", "shares", role.out_of_reach).splitlines()
    assert lines
    assert all(line.split()[-1].endswith(")") for line in lines[1:])
    assert any(line.startswith("pareto r=0.7") and " 3 " in line for line in lines[1:])
