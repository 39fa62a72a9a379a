from hypothesis import given
from hypothesis import strategies as st

from moat.records import Published
from moat.report import make_scoreboards
from moat.report.scores.sheets import board_sheet, guess_words
from moat.sheets import blocks


def lines(results, columns, published=None):
    (board,) = make_scoreboards(results, published).boards
    names = [column.name for column in board.columns]
    rows = board_sheet(board, [names.index(column) for column in columns]).rows
    return {title: texts for title, *texts in rows}


def test_a_line_has_a_text_for_each_column(study):
    found = lines(study, ["natural", "max-at"])
    assert found["natural"] == ["98.9", "95.7"]
    assert found["universal"] == ["0.0", "109.2"]
    assert not {"seeds", "  published"} & set(found)


def test_published_figures_and_differences_stand_below_the_score_they_belong_to(study):
    published = Published(source="a paper", runs={"max-at": {"pgd": 65.16, "rt": 51.5}})
    (board,) = make_scoreboards(study, published).boards
    rows = board_sheet(board, range(14)).rows
    titles = [title.strip() for title, *_ in rows]
    assert titles[:6] == ["natural", "pgd", "published", "difference", "flow", "rt"]
    place = 1 + [column.name for column in board.columns].index("max-at")
    assert [row[place] for row in rows[1:4]] == ["65.2", "65.16", "+0.0"]
    assert [row[1] for row in rows[1:4]] == ["29.4", "-", "-"]
    assert rows[6][place] == "51.50"  # as many decimals as its table has


def test_columns_without_published_figures_have_no_lines_for_them(study):
    published = Published(source="a paper", runs={"max-at": {"pgd": 65.16}})
    assert "  published" not in lines(study, ["natural", "mgda"], published)


def test_seeds_are_counted_where_there_are_several(tmp_path, write):
    for seed, score in enumerate((50, 54, 52)):
        write(tmp_path / str(seed), "max-at", 90, (score, 0, 0, 0), seed=seed)
        if seed < 2:
            write(tmp_path / f"p{seed}", "pgd-at", 90, (score, 0, 0, 0), seed=seed)
    write(tmp_path / "n", "natural", 90, (10, 0, 0, 0))
    found = lines(tmp_path, ["natural", "pgd-at", "max-at"])
    assert found["seeds"] == ["1", "2", "3"]
    alone, two, three = found["pgd"]
    assert (alone, two) == ("10.0", "52.0")
    low, high = map(float, three.removeprefix("52.0 [").removesuffix("]").split(", "))
    assert low < 52 - 4.3 * 2 / 3**0.5 < 52 + 4.3 * 2 / 3**0.5 < high  # Student's t, and examples


def test_the_share_out_of_reach_is_left_out_where_no_column_has_one(study, write):
    write(study / "new", "pareto", 97, (70, 50, 70, 50), r=3.0, clamped=0.25)
    assert "r out of reach" not in lines(study, ["natural", "max-at"])
    found = lines(study, ["natural", "pareto r=3.0"])
    assert found["r out of reach"] == ["-", "25.0"]


def test_a_column_that_did_not_train_is_marked(tmp_path, write):
    for seed, natural in enumerate((11, 90)):
        write(tmp_path / f"m{seed}", "max-at", natural, (0, 0, 0, 0), seed=seed, classes=10)
    write(tmp_path / "n", "natural", 10, (0, 0, 0, 0), classes=10)
    (board,) = make_scoreboards(tmp_path).boards
    assert [guess_words(column) for column in board.columns] == [
        ["constant", "guess"],
        ["constant", "guess", "(1 of 2)"],
    ]


@given(count=st.integers(1, 60), most=st.integers(0, 60))
def test_blocks_cover_everything_in_order_as_evenly_as_they_can(count, most):
    found = blocks(count, lambda block: len(block) <= most)
    assert [place for block in found for place in block] == list(range(count))
    sizes = [len(block) for block in found]
    assert max(sizes) - min(sizes) <= 1
    assert len(found) == -(-count // max(most, 1))  # no fewer would do
