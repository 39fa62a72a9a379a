"""The tables [[figure]]: what they take, what is refused, and that they identify no run."""

import tomllib
from pathlib import Path

import pytest

from moat.errors import RecipeError
from moat.recipe import plan_runs, read
from moat.recipe.schema import Recipe
from moat.records import Difference, Relationship
from moat.runs import RunFolder

RECIPES = Path(__file__).parents[2] / "recipes"
RELATIONSHIP = {
    "type": '"relationship"',
    "across": '"scalarizer.r"',
    "variant": '"pareto"',
    "zero": '"plain"',
}
DIFFERENCE = {
    "type": '"difference"',
    "across": '"scalarizer.r"',
    "of": '"pareto"',
    "minus": '"pgd-at"',
}


@pytest.fixture
def declaring(recipe):
    """Write the small study with one figure, some of its keys said otherwise, None for left out."""

    def write(table: dict[str, str], *replaced: str, **keys: str | None) -> Path:
        path = recipe(*replaced)
        lines = [f"{k} = {v}" for k, v in {**table, **keys}.items() if v is not None]
        text = path.read_text("utf-8") + "\n[[figure]]\n" + "\n".join(lines) + "\n"
        path.write_text(text, "utf-8")
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(RecipeError) as refused:
        plan_runs(read(path))
    return str(refused.value)


@pytest.mark.parametrize("table", [RELATIONSHIP, DIFFERENCE])
def test_a_figure_is_kept_by_every_run_and_identifies_none(declaring, recipe, table):
    path = declaring(table, threats='["flow"]')
    with_figure = plan_runs(read(path))
    without = plan_runs(read(recipe()))
    assert [plan.train_hash for plan in with_figure] == [plan.train_hash for plan in without]
    assert [plan.protocol_hash for plan in with_figure] == [plan.protocol_hash for plan in without]
    for plan in with_figure:
        (kept,) = plan.document["figure"]
        assert kept["threats"] == ["flow"]


def test_a_run_s_own_recipe_is_valid_though_it_has_one_variant_of_the_figure(declaring, tmp_path):
    for plan in plan_runs(read(declaring(RELATIONSHIP))):
        folder = RunFolder(tmp_path / plan.label)
        folder.path.mkdir()
        folder.write_recipe(plan.document)
        (again,) = plan_runs(read(folder.recipe))
        assert again.train_hash == plan.train_hash


def test_the_defaults_are_those_of_the_paper_s_figures(declaring):
    recipe = Recipe.model_validate(read(declaring(RELATIONSHIP, zero=None)).document)
    assert recipe.figure == [Relationship(across="scalarizer.r", variant="pareto")]
    assert (recipe.figure[0].measure, recipe.figure[0].zero) == ("conditional", None)
    assert Difference(across="a", of="b", minus="c").measure == "accuracy"


WRONG = [
    (
        {"variant": '"parto"'},
        "figure.0.variant: the study has no variant 'parto'. Did you mean 'pareto'?\n"
        "  known: plain, pgd-at, pareto",
    ),
    (
        {"zero": '"plane"'},
        "figure.0.zero: the study has no variant 'plane'. Did you mean 'plain'?\n"
        "  known: plain, pgd-at, pareto",
    ),
    (
        {"threats": '["flow", "flw"]'},
        "figure.0.threats: the study has no evaluated threat 'flw'. Did you mean 'flow'?\n"
        "  known: pgd, flow",
    ),
    (
        {"across": '"scalarizer.rho"'},
        "figure.0.across: the variant 'pareto' does not sweep 'scalarizer.rho'. Did you mean "
        "'scalarizer.r'?\n  it sweeps: scalarizer.r",
    ),
    (
        {"variant": '"pgd-at"'},
        "figure.0.across: the variant 'pgd-at' does not sweep 'scalarizer.r'.\n"
        "  it sweeps: nothing",
    ),
    (
        {"type": '"relation"'},
        "figure.0.type: no figure is called 'relation'. Did you mean 'relationship'?\n"
        "  known: relationship, difference",
    ),
    (
        {"type": None},
        "figure.0.type: this key is required and missing.\n  known: relationship, difference",
    ),
    ({"across": None}, "figure.0.across: this key is required and missing."),
    (
        {"measur": '"accuracy"'},
        "figure.0.measur: unknown key. Did you mean 'measure'?\n"
        "  known: across, measure, threats, type, variant, zero",
    ),
    (
        {"measure": '"condition"'},
        "figure.0.measure: should be 'conditional' or 'accuracy', not 'condition'. Did you mean "
        "'conditional'?",
    ),
    (
        {"variant": "3"},
        "figure.0.variant: should be a valid string, not 3.\n"
        '  Write text in quotes: variant = "3".',
    ),
]


@pytest.mark.parametrize(("keys", "said"), WRONG, ids=lambda value: str(value)[:30])
def test_a_wrong_figure_is_refused_with_file_key_and_mend(declaring, keys, said):
    path = declaring(RELATIONSHIP, **keys)
    assert refusal(path) == f"{path}, {said}"


def test_a_difference_names_both_variants(declaring):
    path = declaring(DIFFERENCE, minus='"pgdat"')
    assert refusal(path) == (
        f"{path}, figure.0.minus: the study has no variant 'pgdat'. Did you mean 'pgd-at'?\n"
        "  known: plain, pgd-at, pareto"
    )


def test_a_figure_across_one_of_two_swept_keys_is_refused(declaring):
    path = declaring(
        RELATIONSHIP,
        '"scalarizer.r" = [0.5, 1.0]',
        '"scalarizer.r" = [0.5], "optimizer.lr" = [0.1]',
    )
    assert refusal(path) == (
        f"{path}, figure.0.across: the variant 'pareto' sweeps optimizer.lr as well, but a figure "
        f"has one key across.\n  Divide it into several variants, each with one key."
    )


def test_a_figure_cannot_be_swept(recipe):
    path = recipe('"scalarizer.r"', '"figure.across"')
    assert "a sweep cannot set 'figure.across'." in refusal(path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mnist_relationship", "relationship"),
        ("cifar10_relationship", "relationship"),
        ("caltech_relationship", "relationship"),
        ("mnist_overfitting", "difference"),
    ],
)
def test_the_recipes_of_figures_3_and_6_declare_them(name, kind):
    (table,) = tomllib.loads((RECIPES / f"{name}.toml").read_text("utf-8"))["figure"]
    assert table["type"] == kind
    assert plan_runs(read(RECIPES / f"{name}.toml"))[0].document["figure"] == [table]
