import pytest
from rich.console import Console

from moat.report import compare_runs, comparison_shown


def text_of(comparison, width, all_ids=False):
    console = Console(width=width)
    with console.capture() as captured:
        console.print(comparison_shown(comparison, width, all_ids))
    return captured.get()


def words_of(comparison, width=120, all_ids=False):
    return " ".join(text_of(comparison, width, all_ids).split())


def test_recipes_scores_and_examples_stand_one_after_another(paths):
    text = text_of(compare_runs(paths), 120)
    titles = [
        *("mgda against max-at", "apart from the seed.", "Scores in %, of 6 test examples"),
        *("Examples withstood by all runs", "Examples withstood by one run only"),
        *("difference: from max-at", "Each run is one seed", "Sanity gate of 2 runs", "Protocol "),
    ]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)


def test_the_notes_say_what_the_interval_does_not_cover(paths):
    words = words_of(compare_runs(paths))
    assert "its paired 95 % interval over test examples" in words
    assert (
        "the interval covers the choice of the test examples, not the variance of training."
        in words
    )
    assert "p: McNemar's exact test" in words


def test_recipes_that_do_not_differ_are_said_to(paths):
    assert (
        "The recipes have the same training settings, apart from the seed. Scores in %"
    ) in words_of(compare_runs(paths))


def test_what_differs_besides_stands_apart(pair, change):
    change(pair[0], trains={"threats": {"pgd": {"type": "pgd", "steps": 5}}})
    change(pair[1], seed=1, moat="0.2.0", trains={"threats": {}})
    words = words_of(compare_runs([run.path for run in pair]))
    recipe, _, besides = words.partition(" Differences outside the recipe ")
    assert "threats.pgd pgd - threats.pgd: type pgd, steps 5" in recipe
    assert "seed 0 1 moat 0.1.0 0.2.0" in besides


def test_without_scores_the_recipes_are_all_there_is(tmp_path, write):
    write(tmp_path / "a", "natural", 90, (60, 50, 40, 30))
    write(tmp_path / "b", "max-at", 90, (60, 50, 40, 30), protocol_hash="other")
    text = text_of(compare_runs([tmp_path / "a", tmp_path / "b"]), 120)
    assert text.rstrip().endswith("natural   average")
    assert "Scores" not in text


@pytest.mark.parametrize("width", [80, 120])
def test_tables_that_do_not_fit_are_cut_with_the_reference_in_each(study, width):
    names = ["natural", "pgd-at", "spatial-at", "max-at", "average-at", "mgda"]
    comparison = compare_runs([study / name / "plain" / "seed-0" for name in names])
    text = text_of(comparison, width)
    assert max(map(len, text.splitlines())) <= width
    scores = text.partition("Scores in %")[2].partition("Examples withstood")[0]
    heads = [line.split() for line in scores.splitlines() if "difference" in line]
    assert len(heads) > 1
    assert all(head[0] == "natural" for head in heads)
    assert [n for head in heads for n in head[1:] if n != "difference"] == names[1:]


def test_long_values_of_two_runs_still_stand_side_by_side_at_80_columns(pair, change):
    for run, letter in zip(pair, "xy", strict=True):
        change(run, trains={"a.key.of.twenty.cells": letter * 100})
    text = text_of(compare_runs([run.path for run in pair]), 80)
    assert any("xxx" in line and "yyy" in line for line in text.splitlines())


def test_all_ids_are_shown_where_they_are_asked_for(pair, enter):
    enter(pair[0], [[1, 1, 1, 1]] * 8)
    enter(pair[1], [[1, 1, 1, 0]] * 8)
    comparison = compare_runs([run.path for run in pair])
    assert "0, 1, 2, 3, 4 and 3 more" in words_of(comparison)
    assert "--ids shows every id; --out writes them to a file." in words_of(comparison)
    assert "0, 1, 2, 3, 4, 5, 6, 7" in words_of(comparison, all_ids=True)
    assert "--ids" not in words_of(comparison, all_ids=True)


def test_runs_that_fare_alike_have_no_ids(pair, enter):
    for run in pair:
        enter(run, [[1, 1, 1, 1]] * 4)
    assert "Examples withstood by one" not in text_of(compare_runs([run.path for run in pair]), 80)


def test_markup_in_a_name_is_shown_as_it_stands(pair, change):
    change(pair[1], label="[red]mgda")
    assert "[red]mgda" in text_of(compare_runs([run.path for run in pair]), 80)
