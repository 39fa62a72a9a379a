import io

import pytest
from rich.console import Console

from moat.report import front_table, make_fronts


def printed(results, width=120):
    (front,) = make_fronts(results).fronts
    console = Console(width=width, file=io.StringIO())
    console.print(front_table(front))
    return console.file.getvalue()


def line_of(text, *words):
    return next(line for line in text.splitlines() if line.split()[: len(words)] == list(words))


def test_the_table_shows_each_run_with_its_scores_and_its_place(study):
    text = printed(study)
    assert text.startswith("digits_pareto on digits (size 16)")
    assert line_of(text, "variant").split() == [
        *("variant", "sweep", "natural", "pgd", "flow", "rt", "integrated"),
        *("universal", "total", "union", "front"),
    ]
    assert line_of(text, "pareto", "r=1.8").split() == [
        *("pareto", "r=1.8", "97.4", "72.9", "48.9", "79.1", "52.5", "140.4", "200.9", "48.9", "●")
    ]
    assert line_of(text, "max-at").endswith("< pareto r=1.8")


def test_the_notes_state_the_baseline_and_the_fixed_reference_point(study):
    words = " ".join(printed(study).split())
    assert (
        "universal: the gain over the natural run of the same seed (the mean of several)" in words
    )
    assert "in % of 1,000 test examples" in words
    assert (
        "against the fixed reference point (universal score 0, sacrificed natural accuracy 100)"
        in words
    )


def test_seeds_and_studies_have_columns_only_where_there_are_several(study, write):
    assert "seed" not in line_of(printed(study), "variant").split()
    write(study / "other", "natural", 98, (1, 2, 3, 4), seed=7, study="other")
    header = line_of(printed(study, 160), "study").split()
    assert header[:4] == ["study", "variant", "sweep", "seed"]


def test_a_seed_without_a_natural_run_is_named_in_a_note(study, write):
    write(study / "seed-7", "max-at", 98, (1, 2, 3, 4), seed=7)
    assert "No natural run has seed 7: there the mean of all natural runs is compared with." in (
        " ".join(printed(study).split())
    )


def test_without_any_natural_run_the_score_is_absent_and_a_note_says_so(tmp_path, write):
    write(tmp_path / "a", "max-at", 90, (30, 30, 30, 30))
    text = printed(tmp_path)
    assert line_of(text, "max-at").split()[-4:] == ["-", "90.0", "30.0", "●"]
    assert "No natural run is in this group, so there is no universal score" in text


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_number_is_cut_in_a_narrow_terminal(study, width):
    text = printed(study, width)
    assert "…" not in text
    assert {"140.7", "201.2", "r=2.2", "average-at"} <= set(text.split())


def test_square_brackets_in_a_name_are_shown_as_they_are(tmp_path, write):
    write(tmp_path / "a", "natural", 90, (30, 30, 30, 30))
    write(tmp_path / "b", "[bold]", 80, (20, 30, 30, 30))
    write(tmp_path / "c", "[bold]", 85, (20, 30, 30, 30))
    assert "[bold]" in printed(tmp_path)


def test_several_examples_counts_are_all_said(tmp_path, write):
    write(tmp_path / "a", "natural", 90, (30, 30, 30, 30), examples=10)
    write(tmp_path / "b", "max-at", 90, (30, 30, 30, 30), examples=20)
    assert "10 or 20 test examples" in " ".join(printed(tmp_path).split())
