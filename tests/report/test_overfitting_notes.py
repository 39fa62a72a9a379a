"""Catastrophic overfitting below the tables: by threat, with the runs."""

from types import SimpleNamespace

import pytest

from moat.report.overfitting_notes import overfitted, overfitting_notes


def point(where, **training):
    return SimpleNamespace(where=where, training=training)


def test_each_overfitted_threat_is_named_with_its_runs():
    alarm = {"step": 216, "own": 97.0, "more": 3.0}
    points = [
        point("a", overfitting={"pgd": alarm}),
        point("b", overfitting={}),
        point("c", overfitting={"pgd": alarm, "rt": alarm}),
        point("d"),
    ]
    names = {one.where: f"run {one.where}" for one in points}
    first, second = overfitting_notes(points, names)
    assert first.startswith("warn, catastrophic overfitting (run a, run c): in training, ")
    assert "'pgd' fell" in first
    assert second.startswith("warn, catastrophic overfitting (run c)")


@pytest.mark.parametrize("found", [None, [], {"pgd": 3}, {"pgd": {"step": "x"}}, {"pgd": {}}])
def test_a_foreign_record_has_no_step(found):
    assert all(step is None for _, step in overfitted({"overfitting": found}))
