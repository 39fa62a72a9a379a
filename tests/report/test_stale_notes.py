"""Runs whose start was trained again, below the tables, each kind with its mend."""

from types import SimpleNamespace

from moat.report.stale_notes import stale_notes


def test_stale_points_and_stale_legs_are_named_with_their_mends():
    kinds = {"a": (True, {"conditioned": {}}), "b": (True, {}), "c": (False, {"conditioned": {}})}
    points = [
        SimpleNamespace(where=name, is_stale=stale, trains=trains)
        for name, (stale, trains) in kinds.items()
    ]
    first, second = stale_notes(points, {name: f"run {name}" for name in kinds})
    assert first.startswith("warn, stale (run a): the run that it started from was trained again")
    assert first.endswith("`moat evaluate RUN --at POINT --overwrite` makes a point anew.")
    assert second.startswith("warn, stale (run b)")
    assert second.endswith("`moat train RECIPE --overwrite` trains it again.")
    assert stale_notes(points[2:], {"c": "run c"}) == []
