import pytest

from moat.records import Published
from moat.report import make_scoreboards
from moat.report.front.objectives import OUT_OF_REACH
from moat.report.scores.scoreboard import Cell

PAPER = {
    "source": "the paper, Table 1",
    "runs": {
        "natural": {"pgd": 29.4, "universal": 0.0},
        "pareto r=2.2": {"natural": 95.0, "pgd": 88.06, "union": 50.0},
    },
}


def board_of(results, *arguments):
    (board,) = make_scoreboards(results, *arguments).boards
    return board


def cell(board, name, score):
    place = [column.name for column in board.columns].index(name)
    return board.cells[score][place]


def test_scores_are_rows_and_runs_are_columns(study):
    board = board_of(study)
    assert list(board.cells) == [
        *("natural", "pgd", "flow", "rt", "integrated", "universal", "total", "union")
    ]
    assert all(len(cells) == len(board.columns) == 14 for cells in board.cells.values())
    assert cell(board, "max-at", "pgd").mean == pytest.approx(65.2)
    assert cell(board, "max-at", "universal").mean == pytest.approx(109.2)
    assert cell(board, "max-at", "total").mean == pytest.approx(169.7)
    assert cell(board, "max-at", "union").mean == pytest.approx(48.3)


def test_the_mean_and_its_interval_are_over_seeds(tmp_path, write):
    for seed, (natural, robust) in enumerate([(10, 50), (20, 54), (30, 61)]):
        write(tmp_path / f"n{seed}", "natural", 98, (natural, 0, 0, 0), seed=seed)
        write(tmp_path / f"m{seed}", "max-at", 90 + seed, (robust, 0, 0, 0), seed=seed)
    board = board_of(tmp_path)
    pgd, universal = cell(board, "max-at", "pgd"), cell(board, "max-at", "universal")
    assert pgd.mean == pytest.approx(55)
    reach = 4.303 * 31**0.5 / 3**0.5  # Student's t of 2 degrees of freedom
    assert pgd.interval.high - 55 == pytest.approx(reach, rel=0.05)
    assert pgd.text == f"55.0 [{pgd.interval.low:.1f}, {pgd.interval.high:.1f}]"
    # 50 - 10, 54 - 20, 61 - 30: each seed against the natural run of its own
    assert universal.values == pytest.approx((40, 34, 31))
    assert universal.mean == pytest.approx(35)
    assert cell(board, "natural", "universal").values == (0, 0, 0)


def test_of_one_seed_the_interval_speaks_of_examples_alone_and_is_not_in_the_text(study):
    found = cell(board_of(study), "max-at", "pgd")
    assert found.interval.over == "examples"
    assert found.interval.low < found.mean < found.interval.high
    assert found.text == "65.2"


def test_a_natural_run_is_not_apart_from_itself(study):
    found = cell(board_of(study), "natural", "universal")
    assert (found.interval.low, found.interval.high) == (0, 0)


def test_without_a_natural_run_the_universal_score_is_absent(tmp_path, write):
    write(tmp_path / "m", "max-at", 90, (50, 40, 30, 20))
    found = cell(board_of(tmp_path), "max-at", "universal")
    assert (found.values, found.mean, found.interval) == ((), None, None)


def test_published_figures_stand_beside_the_runs_they_name(study, write):
    write(study / "p", "mgda", 98, (1, 2, 3, 4), r=1.0, published=PAPER)
    board = board_of(study)  # one run of the study states them, for all of it
    found = cell(board, "pareto r=2.2", "pgd")
    assert (found.published, found.difference) == (88.06, pytest.approx(68.1 - 88.06))
    assert cell(board, "pareto r=2.2", "natural").difference == pytest.approx(94.2 - 95)
    assert cell(board, "natural", "universal").difference == 0
    for name, score in [("pareto r=2.2", "rt"), ("max-at", "pgd"), ("pareto r=1.8", "pgd")]:
        absent = cell(board, name, score)
        assert (absent.published, absent.difference) == (None, None)
    sources = dict(zip((column.name for column in board.columns), board.sources, strict=True))
    assert {name for name, source in sources.items() if source} == {"natural", "pareto r=2.2"}


def test_published_figures_of_another_study_are_not_ones_own(tmp_path, write):
    for study, published in (("one", PAPER), ("two", None)):
        folder = tmp_path / study
        write(folder, "natural", 98, (30, 0, 0, 0), study=study, published=published)
    board = board_of(tmp_path)
    assert cell(board, "one: natural", "pgd").published == 29.4
    assert cell(board, "two: natural", "pgd").published is None


def test_a_run_stands_beside_what_its_own_recipe_states(tmp_path, write):
    newer = {"source": "an erratum", "runs": {"natural": {"pgd": 31.0}, "max-at": {"pgd": 65.0}}}
    write(tmp_path / "a", "max-at", 98, (30, 0, 0, 0), published=PAPER)
    write(tmp_path / "b", "natural", 98, (30, 0, 0, 0), published=PAPER)
    write(tmp_path / "c", "mgda", 98, (30, 0, 0, 0), published=newer)
    board = board_of(tmp_path)
    assert cell(board, "natural", "pgd").published == 29.4
    assert cell(board, "max-at", "pgd").published == 65.0  # its own names it not
    assert len(board.stated) == 2


def test_given_figures_stand_instead_of_those_of_the_recipes(tmp_path, write):
    for study in ("one", "two"):
        write(tmp_path / study, "natural", 98, (30, 0, 0, 0), study=study, published=PAPER)
    (tmp_path / "one" / "recipe.toml").write_text("broken, and never read")
    given = Published(source="another paper", runs={"natural": {"pgd": 20.0}})
    report = make_scoreboards(tmp_path, given)
    (board,) = report.boards
    assert [found.published for found in board.cells["pgd"]] == [20.0, 20.0]
    assert board.sources == ("another paper",) * 2
    assert report.messages == []


def test_columns_stand_in_the_order_of_the_published_table_or_as_asked(study, write):
    table = {"source": "a paper", "runs": {"pareto r=9": {}, "max-at": {}}}
    write(study / "p", "mgda", 98, (1, 2, 3, 4), r=1.0, published=table)
    ordered = [column.name for column in board_of(study).columns]
    assert ordered[:2] == ["natural", "pareto r=0.2"]
    assert ordered[9] == "max-at"
    asked = [column.name for column in board_of(study, None, ["spatial-at"]).columns]
    assert asked[:2] == ["natural", "spatial-at"]


def test_there_is_no_difference_where_either_side_is_absent():
    assert Cell((), 3.0).difference is None
    assert Cell((3.0,), None).difference is None
    assert Cell((3.0, 4.0), 5.0).difference == -1.5


def test_the_share_of_steps_out_of_reach_is_a_score_where_a_run_has_one(study, write):
    assert OUT_OF_REACH not in board_of(study).cells
    write(study / "new", "pareto", 97, (70, 50, 70, 50), r=3.0, clamped=0.25)
    board = board_of(study)
    assert cell(board, "pareto r=3.0", OUT_OF_REACH).mean == 25
    assert cell(board, "natural", OUT_OF_REACH).mean is None


def test_a_threat_that_is_called_as_a_score_says_so(tmp_path, write):
    protocol = {"threats": {"union": {"type": "pgd", "at_steps": [2]}}, "summed": ["union"]}
    write(tmp_path / "a", "natural", 98, (30,), protocol=protocol)
    board = board_of(tmp_path, Published(source="a paper", runs={"natural": {"union": 20.0}}))
    assert list(board.cells) == ["natural", "union (threat)", "universal", "total", "union"]
    assert cell(board, "natural", "union (threat)").published is None
    assert cell(board, "natural", "union").published == 20.0


def test_each_group_of_comparable_runs_has_a_board(study, write):
    write(study / "z", "natural", 90, (1, 2, 3, 4), data={"type": "mnist"})
    assert [len(board.columns) for board in make_scoreboards(study).boards] == [14, 1]


def test_runs_and_recipes_that_cannot_be_read_are_told(study):
    (study / "max-at" / "plain" / "seed-0" / "run.json").write_text("")
    (study / "pgd-at" / "plain" / "seed-0" / "recipe.toml").write_text("[")
    report = make_scoreboards(study)
    assert len(report.boards[0].columns) == 13
    (skipped,), (uncompared,) = report.skipped, report.uncompared
    assert skipped.startswith(f"{study / 'max-at/plain/seed-0/run.json'}: ")
    assert uncompared.startswith(f"{study / 'pgd-at/plain/seed-0/recipe.toml'}: ")
    assert report.messages == [f"skipped: {skipped}", f"not compared: {uncompared}"]
    assert make_scoreboards(study, Published(source="a paper", runs={})).uncompared == []
