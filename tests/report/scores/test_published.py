import pytest

from moat.errors import RunFolderError
from moat.records import Published
from moat.report import read_points
from moat.report.recipe_tables import published_by, published_in

TABLE = {"source": "a paper", "runs": {"natural": {"pgd": 29.4}, "pareto r=2.2": {"rt": 90}}}


def test_the_figures_of_a_run_are_those_of_its_own_recipe(tmp_path, write):
    run = write(tmp_path / "a", "natural", 98, (1, 2, 3, 4), published=TABLE)
    published = published_in(run)
    assert published == Published(source="a paper", runs=TABLE["runs"])
    assert published.variants == ["natural", "pareto"]
    assert published.scores == ["pgd", "rt"]


def test_a_recipe_without_the_table_and_a_run_without_a_recipe_state_nothing(tmp_path, write):
    bare = write(tmp_path / "a", "natural", 98, (1, 2, 3, 4))
    assert published_in(bare) is None
    bare.write_recipe({"seeds": [0]})
    assert published_in(bare) is None


@pytest.mark.parametrize(
    "table",
    [
        "a paper",
        {"runs": {}},
        {"source": 3, "runs": {}},
        {"source": "a paper"},
        {"source": "a paper", "runs": ["natural"]},
        {"source": "a paper", "runs": {"natural": 29.4}},
        {"source": "a paper", "runs": {"natural": {"pgd": "29.4"}}},
        {"source": "a paper", "runs": {"natural": {"pgd": float("nan")}}},
    ],
)
def test_a_table_that_is_none_is_refused_and_the_mend_is_named(tmp_path, write, table):
    run = write(tmp_path / "a", "natural", 98, (1, 2, 3, 4))
    run.write_recipe({"published": table})
    with pytest.raises(RunFolderError) as caught:
        published_in(run)
    assert str(caught.value) == (
        f"{run.path / 'recipe.toml'}: its published figures are not a table of a source and "
        "of runs with numbers.\n  `moat report --recipe FILE` takes them from another recipe."
    )


def test_a_broken_recipe_is_told_and_the_others_are_read(tmp_path, write):
    write(tmp_path / "a", "natural", 98, (1, 2, 3, 4), published=TABLE)
    broken = write(tmp_path / "b", "pgd-at", 98, (1, 2, 3, 4), published=TABLE)
    (broken.path / "recipe.toml").write_text("[published")
    points, _ = read_points(tmp_path)
    stated, told = published_by(points)
    assert list(stated) == ["a"]
    (message,) = told
    assert message.startswith(f"{broken.path / 'recipe.toml'}: the file is truncated or not moat's")
