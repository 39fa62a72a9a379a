import io

import pytest
from rich.console import Console

from moat.report import front_table, make_fronts


def printed(results, width=120):
    (front,) = make_fronts(results).fronts
    console = Console(width=width, file=io.StringIO())
    console.print(front_table(front, width))
    return console.file.getvalue()


def line_of(text, *words):
    return next(line for line in text.splitlines() if line.split()[: len(words)] == list(words))


def test_the_table_shows_each_run_with_its_scores_and_its_place(study):
    text = printed(study)
    assert text.startswith("digits_pareto on digits (size 16)")
    assert line_of(text, "run").split() == [
        *("run", "natural", "pgd", "flow", "rt", "integrated"),
        *("universal", "total", "union", "front"),
    ]
    assert line_of(text, "pareto", "r=1.8").split() == [
        *("pareto", "r=1.8", "97.4", "72.9", "48.9", "79.1", "52.5", "140.4", "200.9", "48.9", "●")
    ]
    assert line_of(text, "max-at").endswith("< pareto r=1.8")


def test_the_notes_state_the_baseline_and_the_fixed_reference_point(study):
    words = " ".join(printed(study).split())
    assert (
        "universal: the gain over the natural run of the same seed (or the mean of several)"
        in words
    )
    assert "in % of 1,000 test examples" in words
    assert (
        "against the fixed reference point (universal score 0, sacrificed natural accuracy 100)"
        in words
    )


def test_seeds_and_studies_have_columns_only_where_there_are_several(study, write):
    assert "seed" not in line_of(printed(study), "run").split()
    write(study / "other", "natural", 98, (1, 2, 3, 4), seed=7, study="other")
    header = line_of(printed(study, 160), "study").split()
    assert header[:3] == ["study", "run", "seed"]


def test_a_seed_without_a_natural_run_is_named_in_a_note(study, write):
    write(study / "seed-7", "max-at", 98, (1, 2, 3, 4), seed=7)
    alone = "No natural run has seed 7, so the mean of all natural runs is their reference."
    assert alone in " ".join(printed(study).split())


def test_without_any_natural_run_the_score_is_absent_and_a_note_says_so(tmp_path, write):
    write(tmp_path / "a", "max-at", 90, (30, 30, 30, 30))
    text = printed(tmp_path)
    assert line_of(text, "max-at").split()[-4:] == ["-", "90.0", "30.0", "●"]
    assert "A universal score needs a natural run in this group" in text


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_number_is_cut_in_a_narrow_terminal(study, width):
    text = printed(study, width)
    assert "…" not in text
    assert all(len(line) <= width for line in text.splitlines())
    assert {"140.7", "201.2", "r=2.2", "average-at"} <= set(text.split())


def test_at_80_columns_long_headings_are_hyphenated_and_no_line_is_broken(study):
    text = printed(study, 80)
    assert text.splitlines()[1].split() == ["integ-", "uni-"]
    assert line_of(text, "run").split() == [
        *("run", "natural", "pgd", "flow", "rt", "rated", "versal", "total", "union", "front")
    ]
    assert line_of(text, "max-at").endswith("< pareto r=1.8")


def test_where_names_are_too_long_for_the_terminal_runs_are_named_by_numbers(study, write):
    write(study / "long", "pareto-unguarded", 98.8, (75, 60, 80, 60), r=0.8)
    assert line_of(printed(study, 120), "max-at").endswith("< pareto-unguarded r=0.8")
    text = printed(study, 80)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "…" not in text
    assert line_of(text, "#", "run").endswith("front")
    assert line_of(text, "1", "pareto-unguarded").split()[-1] == "●"
    (loser,) = (line.split() for line in text.splitlines() if " max-at " in line)
    assert loser[-2:] == ["<", "1"]


def test_where_nothing_fits_names_are_wrapped(study):
    assert "r=2.2" in printed(study, 72).split()


def test_the_share_of_steps_out_of_reach_is_shown_where_a_run_has_one_and_it_fits(study, write):
    assert "out of reach" not in printed(study, 200)
    write(study / "new", "pareto", 97, (70, 50, 70, 50), r=3.0, clamped=0.25)
    wide, narrow = printed(study, 200), printed(study, 80)
    assert line_of(wide, "pareto", "r=3.0").split()[9:12] == ["50.0", "25.0", "<"]
    assert line_of(wide, "pareto", "r=1.8").split()[9:] == ["48.9", "-", "●"]
    assert line_of(narrow, "pareto", "r=3.0").split()[9:11] == ["50.0", "<"]
    assert "r out of reach: the share of training steps, in %, in which no weights reach" in wide
    assert "out of reach" not in narrow


def test_square_brackets_in_a_name_are_shown_as_they_are(tmp_path, write):
    write(tmp_path / "a", "natural", 90, (30, 30, 30, 30))
    write(tmp_path / "b", "[bold]", 80, (20, 30, 30, 30))
    write(tmp_path / "c", "[bold]", 85, (20, 30, 30, 30))
    assert "[bold]" in printed(tmp_path)


def test_several_examples_counts_are_all_said(tmp_path, write):
    write(tmp_path / "a", "natural", 90, (30, 30, 30, 30), examples=10)
    write(tmp_path / "b", "max-at", 90, (30, 30, 30, 30), examples=20)
    assert "10 or 20 test examples" in " ".join(printed(tmp_path).split())


@pytest.mark.parametrize("width", [60, 50])
def test_a_score_is_left_out_before_a_name_is_broken(study, width):
    text = printed(study, width)
    table, _, notes = text.partition("Omitted for lack of room: ")
    assert all(len(line) <= width for line in text.splitlines())
    for name in ("natural", "pgd-at", "max-at", "average-at", "pareto r=1.8"):
        assert any(f" {name} " in f" {line} " for line in table.splitlines())
    assert "total" in notes
    assert "natu-" not in notes
