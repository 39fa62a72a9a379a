"""A model that is right nowhere has no conditional score; every reader of its run copes."""

import json

from moat.report import (
    compare_runs,
    comparison_shown,
    make_fronts,
    make_scoreboards,
    run_table,
    score_runs,
    score_table,
    write_comparison,
    write_front,
    write_report,
)
from moat.report.page import write_page
from moat.report.plots import make_plots


def strictly(text: str):
    """Parse as a reader does that takes no NaN."""
    return json.loads(text, parse_constant=lambda name: 1 / 0)


def test_every_reader_shows_it(tmp_path, write):
    results = tmp_path / "results"
    nowhere = write(results / "a", "a", 0, (0, 0, 0, 0), losses=True, classes=10)
    other = write(results / "b", "natural", 90, (50, 40, 30, 20), losses=True, classes=10)
    made = make_scoreboards(results)
    compared = compare_runs([nowhere.path, other.path])
    (scores, _) = score_runs([results])
    assert scores.as_table()["conditional"] == dict.fromkeys(scores.point.scored)
    run_table(scores), score_table(made.boards[0], 120), comparison_shown(compared, 120)
    write_report(made, tmp_path)
    write_front(make_fronts(results), tmp_path)
    write_comparison(compared, tmp_path)
    write_page(made, results, tmp_path / "page.html")
    assert make_plots([results], ["parallel", "strengths", "radar"]).figures
    for path in tmp_path.glob("*.json"):
        strictly(path.read_text())
    for path in [*tmp_path.glob("*.csv"), *tmp_path.glob("*.md"), tmp_path / "page.html"]:
        assert "nan" not in path.read_text().lower().split("plotly")[0]
