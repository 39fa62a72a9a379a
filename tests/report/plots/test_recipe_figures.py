import pytest

from moat.errors import RunFolderError
from moat.records import Difference, Relationship
from moat.report.plots import make_plots
from moat.report.recipe_tables import figures_by, figures_in


def test_the_figures_of_a_run_are_those_of_its_own_recipe(
    tmp_path, write, relationship, difference
):
    run = write(tmp_path / "a", "natural", 98, (1, 2, 3, 4))
    assert figures_in(run) == []
    run.write_recipe({"seeds": [0]})
    assert figures_in(run) == []
    run.write_recipe({"figure": [relationship, difference]})
    assert figures_in(run) == [
        Relationship(
            across="scalarizer.r", variant="pareto", zero="natural", threats=("flow", "rt")
        ),
        Difference(across="scalarizer.r", of="pareto", minus="pgd-at", threats=("pgd", "flow")),
    ]


@pytest.mark.parametrize(
    "table",
    [
        "relationship",
        ["relationship"],
        [{"type": "relation"}],
        [{"across": "a", "variant": "b"}],
        [{"type": "relationship", "across": "a"}],
        [{"type": "relationship", "across": "a", "variant": "b", "colour": "red"}],
        [{"type": "relationship", "across": "a", "variant": 3}],
        [{"type": "relationship", "across": "a", "variant": "b", "threats": [3]}],
        [{"type": "relationship", "across": "a", "variant": "b", "threats": 3}],
        [{"type": ["relationship"], "across": "a", "variant": "b"}],
    ],
)
def test_a_table_that_is_no_figure_is_refused_and_the_mend_is_named(tmp_path, write, table):
    run = write(tmp_path / "a", "natural", 98, (1, 2, 3, 4))
    run.write_recipe({"figure": table})
    with pytest.raises(RunFolderError) as caught:
        figures_in(run)
    assert str(caught.value) == (
        f"{run.path / 'recipe.toml'}: its figures are not tables of a known type with the keys of "
        "that type.\n  `moat plot --recipe FILE` takes them from another recipe."
    )


def test_figures_are_gathered_once_a_study_and_a_broken_recipe_is_told(swept, runs_of):
    (swept / "natural" / "r=None" / "seed-1" / "recipe.toml").write_text("[[figure")
    declared, broken = figures_by(runs_of(swept).group.points)
    assert list(declared) == ["digits_pareto"]
    assert [type(figure) for figure in declared["digits_pareto"]] == [Relationship, Difference]
    assert len(broken) == 1
    assert "seed-1/recipe.toml: the file is truncated or not moat's" in broken[0]
    plots = make_plots([swept], ["relationship"])
    assert plots.skipped == broken
    assert list(plots.figures) == ["relationship"]
