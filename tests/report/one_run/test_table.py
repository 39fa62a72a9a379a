import io

import pytest
from rich.console import Console

from moat.report import run_table, run_tables, score_runs

SCORES = (60, 50, 40, 30)


@pytest.fixture
def printed(tmp_path, write):
    """Write a run and show its scores."""

    def show(scores=SCORES, *, asked=(), baseline=None, width=120, **run):
        folder = write(tmp_path / "run", "max-at", 90, scores, **run).path
        (found,) = score_runs([folder], asked, baseline)
        console = Console(width=width, file=io.StringIO())
        console.print(run_table(found))
        return console.file.getvalue()

    return show


def cells(text, *words):
    """Return the words of the first line that begins with these."""
    lines = [line.split() for line in text.splitlines()]
    return next(line for line in lines if line[: len(words)] == list(words))


def test_a_threat_has_a_line_with_each_strength_and_its_scores(printed, tmp_path):
    text = printed(losses=True)
    assert text.startswith(f"{tmp_path / 'run'}: max-at, seed 0\n")
    assert cells(text, "natural") == ["natural", "90.0", "0.000"]
    assert cells(text, "pgd") == [
        *("pgd", "2:", "60.0", "4:", "60.0", "60.0", "60.0", "66.7", "2.000")
    ]
    assert cells(text, "total") == ["total", "of", "pgd,", "flow,", "rt", "150.0"]
    assert cells(text, "union") == ["union", "30.0"]


def test_what_was_asked_for_stands_below(printed, tmp_path, write):
    base = write(tmp_path / "base", "natural", 95, (50, 40, 30, 20)).path
    text = printed(asked=("pgd", "rt"), baseline=base)
    assert cells(text, "union", "of") == ["union", "of", "pgd,", "rt", "40.0"]
    assert cells(text, "universal", "against")[-1] == "30.0"


def test_what_was_not_asked_for_has_no_line(printed):
    text = printed()
    assert "universal" not in text
    assert "union  of" not in text


def test_a_radius_is_marked_and_an_ensemble_names_its_members(printed, judged_any_way):
    text = printed((60, 50, 40), protocol=judged_any_way, losses=True)
    assert cells(text, "flow")[:7] == ["flow", "ε", "0.031:", "40.0", "ε", "0.3:", "40.0"]
    assert cells(text, "strong") == [
        *("strong", "ce", "and", "dlr", "together", "50.0", "50.0", "55.6", "-")
    ]
    assert cells(text, "total") == ["total", "of", "strong,", "flow", "90.0"]


def test_the_notes_say_how_examples_fall_and_under_which_protocol(printed, judged_any_way):
    words = " ".join(printed((60, 50, 40), protocol=judged_any_way).split())
    for note in (
        "An example falls by any iterate of a search.",
        "Each strength takes the worst restart of each example.",
        "An example that fell at a smaller radius counts as fallen at a larger one.",
        "An ensemble's score is the share that withstands all its members at every strength.",
        "loss: the search's loss at the best iterate of the largest strength, averaged over the "
        "examples (for a fallen example, up to its fall, which ends its search).",
        "Sanity gate of 1 run, 1 check: 1 pass.",
        "flow ε 0.3 scaled to ε 0.031, 0.3 with 9 steps",
        "strong: ce and dlr together",
    ):
        assert note in words


def test_a_run_that_was_not_searched_to_the_end_has_dashes_and_says_why(printed):
    text = printed(union_only=True)
    assert cells(text, "pgd") == ["pgd", "2:", "-", "4:", "-", "-", "-", "-", "-"]
    assert cells(text, "total")[-1] == "-"
    assert cells(text, "union") == ["union", "30.0"]
    assert "this evaluation (union_only) drops an example at its first fall" in (
        " ".join(text.split())
    )


def test_an_undefined_score_is_a_dash(printed):
    assert "nan" not in printed((0, 0, 0, 0), examples=10).lower()


@pytest.mark.parametrize("width", [80, 100])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(printed, width):
    text = printed(width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_square_brackets_in_a_name_are_shown_as_they_are(tmp_path, write):
    folder = write(tmp_path / "[bold]", "[red]", 90, SCORES).path
    console = Console(width=200, file=io.StringIO())
    console.print(run_table(*score_runs([folder])))
    assert "[bold]: [red], seed 0" in console.file.getvalue()


def test_what_several_runs_share_is_said_once_below_the_last(tmp_path, write):
    for name in ("max-at", "pgd-at"):
        write(tmp_path / name, name, 90, SCORES)
    console = Console(width=200, file=io.StringIO())
    console.print(run_tables(score_runs([tmp_path])))
    said = console.file.getvalue()
    assert said.count("worst: the lowest accuracy") == 1
    assert said.index("max-at, seed 0") < said.index("pgd-at, seed 0") < said.index("worst: the")
