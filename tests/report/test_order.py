"""Settings in the order of a cost or a score, in reports and fronts alike."""

import pytest

import moat
from moat.errors import FrontError
from moat.report import make_fronts, make_scoreboards
from moat.report.scores.sheets import board_markdown
from moat.runs import RunFolder

RUNS = {  # passes, natural accuracy, and the score of each threat
    "natural": (60.0, 99.0, 20.0),
    "dear": (900.0, 97.0, 60.0),
    "cheap": (300.0, 95.0, 70.0),
    "middle": (500.0, 90.0, 50.0),
    "unknown": (None, 93.0, 65.0),
}


@pytest.fixture
def results(tmp_path, write):
    for variant, (passes, natural, score) in RUNS.items():
        write(tmp_path / variant, variant, natural, (score,) * 4, passes=passes)
    return tmp_path


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("passes", ["natural", "cheap", "middle", "dear", "unknown"]),
        ("natural", ["natural", "dear", "cheap", "unknown", "middle"]),
        ("sacrificed", ["natural", "dear", "cheap", "unknown", "middle"]),
        ("union", ["cheap", "unknown", "dear", "middle", "natural"]),
        ("pgd", ["cheap", "unknown", "dear", "middle", "natural"]),
    ],
)
def test_columns_of_a_report_ascend_in_cost_and_fall_in_a_score(results, sort, expected):
    (board,) = make_scoreboards(results, sort=sort).boards
    assert [column.name for column in board.columns] == expected
    assert [cell.mean for cell in board.cells["natural"]] == [RUNS[n][1] for n in expected]


@pytest.fixture
def legs(results):
    """Let two runs start from others, of which one counted its passes."""
    for variant, before in (("cheap", {"passes": 700.0}), ("middle", {})):
        run = RunFolder(results / variant)
        start = {"place": "study/dear/seed-0", "weights": "0123456789abcdef", **before}
        run.write_record(run.read_record().replace(start=start))
    return results


def test_passes_to_here_count_the_runs_that_a_run_starts_from(legs):
    (board,) = make_scoreboards(legs, sort="passes_to_here").boards
    names = [column.name for column in board.columns]
    assert names == ["natural", "dear", "cheap", "middle", "unknown"]
    text = board_markdown(board)
    assert "passes to here: the same with the trainings that led to the start of the run." in text
    (row,) = [line for line in text.splitlines() if line.startswith("| passes to here")]
    assert [cell.strip() for cell in row.strip("|").split("|")[1:]] == [
        "60",
        "900",
        "1000",
        "-",
        "-",
    ]
    frame = moat.results(legs).runs
    assert dict(frame.select("label", "passes_to_here").rows())["cheap"] == 1000.0
    assert dict(frame.select("label", "passes").rows())["cheap"] == 300.0


def test_the_picture_of_costs_counts_the_runs_before_and_says_so(legs):
    figure = moat.results(legs).plot("cost")
    words = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert "A run that starts from another also counts the passes of that one." in words


def test_members_of_a_front_and_others_ascend_each_by_themselves(results):
    (front,) = make_fronts(results, sort="passes").fronts
    members = [s.name for s, on in zip(front.settings, front.members, strict=True) if on]
    others = [s.name for s, on in zip(front.settings, front.members, strict=True) if not on]
    assert members == ["natural", "cheap", "dear"]
    assert others == ["middle", "unknown"]
    assert front.members.tolist() == [True] * 3 + [False] * 2
    (usual,) = make_fronts(results).fronts
    assert front.hypervolume == usual.hypervolume
    by = {
        s.name: front.settings[rival].name
        for s, rival in zip(front.settings, front.dominated_by, strict=True)
        if rival is not None
    }
    assert by == {"middle": "cheap", "unknown": "cheap"}


@pytest.mark.parametrize("make", [make_scoreboards, make_fronts])
def test_what_nothing_is_sorted_by_is_refused_with_the_nearest(results, make):
    with pytest.raises(FrontError, match=r"no score is called 'pases'\. Did you mean 'passes'"):
        make(results, sort="pases")


def test_a_report_says_the_passes_where_they_were_counted(results, tmp_path_factory, write):
    (board,) = make_scoreboards(results).boards
    text = board_markdown(board)
    assert "| passes | 60 | 300 | 900 | 500 | - |" in text or "passes | 60 |" in text
    assert "passes: forwards plus backwards of the network in training" in text
    old = tmp_path_factory.mktemp("old")
    write(old / "a", "natural", 95, (40, 50, 60, 50))
    (board,) = make_scoreboards(old).boards
    assert "passes" not in board_markdown(board)
