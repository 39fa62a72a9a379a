"""The length of a training in a recipe: epochs, passes, or a budget, whichever is nearest."""

import json
import tomllib
from pathlib import Path

import pytest

from moat.errors import RecipeError
from moat.recipe import plan_runs, read
from moat.recipe.resolved import resolved

VARIANT = """
[model]
type = "tiny-cnn"
[data]
type = "digits"
[optimizer]
type = "sgd"
lr = 0.1
[[variant]]
name = "natural"
scalarizer = "natural"
"""


@pytest.fixture
def recipe(tmp_path):
    def write(text, name="study.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


def training_of(path, *overrides):
    (run,) = plan_runs(read(path, overrides))
    return run.training


WAYS = [
    "budget = { passes_per_example = 12 }\n",
    "[budget]\npasses_per_example = 12\n",
    "budget.passes_per_example = 12\n",
    "[training]\npasses = 12\n",
    'budget = { passes_per_example = "24/2" }\n',
]


@pytest.mark.parametrize("way", WAYS)
def test_a_budget_is_the_passes_of_the_training(recipe, way):
    training = training_of(recipe(way + VARIANT))
    assert (training.passes, training.epochs) == (12, None)


@pytest.mark.parametrize("way", WAYS)
def test_the_nearer_length_replaces_that_of_the_base(recipe, way):
    recipe("[training]\nepochs = 3\nbatch_size = 7\n" + VARIANT, "base.toml")
    training = training_of(recipe('extends = "base.toml"\n' + way))
    assert (training.passes, training.epochs, training.batch_size) == (12, None, 7)
    recipe(way + VARIANT, "base.toml")
    training = training_of(recipe('extends = "base.toml"\n[training]\nepochs = 3\n'))
    assert (training.passes, training.epochs) == (None, 3)


@pytest.mark.parametrize(
    ("override", "passes", "epochs"),
    [
        ("training.epochs=1", None, 1),
        ("training.passes=5", 5, None),
        ("budget.passes_per_example=5", 5, None),
        ("budget={passes_per_example=5}", 5, None),
        ("training.batch_size=9", 12, None),
    ],
)
def test_an_override_replaces_the_length_of_the_recipe(recipe, override, passes, epochs):
    training = training_of(recipe(WAYS[0] + VARIANT), override)
    assert (training.passes, training.epochs) == (passes, epochs)
    if passes != 12:
        training = training_of(recipe("[training]\nepochs = 2\n" + VARIANT), override)
        assert (training.passes, training.epochs) == (passes, epochs)


@pytest.mark.parametrize("key", ["training.passes", "budget.passes_per_example"])
def test_a_sweep_replaces_it_too_and_names_one_key(recipe, key):
    text = "[training]\nepochs = 2\n" + VARIANT + f'sweep = {{ "{key}" = [5, 10] }}\n'
    runs = plan_runs(read(recipe(text)))
    assert [run.training.passes for run in runs] == [5, 10]
    assert [run.sweep for run in runs] == [{"training.passes": 5}, {"training.passes": 10}]
    assert len({run.train_hash for run in runs}) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budget = { passes_per_example = 12 }\n[training]\nepochs = 3\n", "training.epochs both"),
        ("budget = { passes_per_example = 12 }\n[training]\npasses = 3\n", "training.passes both"),
        ("[training]\npasses = 12\nepochs = 3\n", "epochs = 3 and passes = 12 both"),
        ("budget = { pases_per_example = 12 }\n", "Did you mean 'passes_per_example'?"),
        ("budget = { passes_per_example = 12, epochs = 3 }\n", "a budget has one key"),
        ("budget = 12\n", "Write budget = { passes_per_example = 840 }"),
        ("budget = {}\n", "a budget has one key"),
        ("budget = { passes_per_example = 0 }\n", "should be greater than 0"),
        ("budget = { passes_per_example = true }\n", "should be a valid number"),
        ("[training]\nbatch_size = 3\n", "the length of the training is missing"),
    ],
)
def test_no_length_two_lengths_and_a_budget_of_another_form_are_refused(recipe, text, said):
    path = recipe(text + VARIANT)
    with pytest.raises(RecipeError) as error:
        plan_runs(read(path))
    assert said in str(error.value)
    assert str(error.value).startswith(f"{path}, ")


def test_an_override_of_another_form_is_refused(recipe):
    path = recipe(WAYS[0] + VARIANT)
    for override in ("budget=12", "budget.epochs=3", "budget.passes_per_example.x=3"):
        with pytest.raises(RecipeError, match="--set budget"):
            plan_runs(read(path, [override]))


def test_passes_identify_a_run_and_without_them_nothing_changes(recipe):
    (plain,) = plan_runs(read(recipe("[training]\nepochs = 2\n" + VARIANT)))
    assert list(plain.trains["training"])[:2] == ["epochs", "batch_size"]
    assert "passes" not in plain.trains["training"]
    (run,) = plan_runs(read(recipe(WAYS[0] + VARIANT)))
    (same,) = plan_runs(read(recipe(WAYS[3] + VARIANT)))
    (other,) = plan_runs(read(recipe(WAYS[0] + VARIANT), ["training.passes=13"]))
    assert run.trains["training"]["passes"] == 12
    assert "epochs" not in run.trains["training"]
    assert run.train_hash == same.train_hash != other.train_hash


def test_a_resolved_recipe_says_the_line_of_its_budget(recipe):
    path = recipe("# a comment\n" + WAYS[0] + VARIANT)
    source = read(path)
    found = resolved(source, plan_runs(source))
    assert found.origins["training", "passes"] == f"{path}:2"
    assert ("training", "epochs") in found.unset
    assert "budget" not in found.document


def test_the_rule_of_a_rule_is_a_table_of_the_recipe(recipe):
    text = "[training]\nepochs = 2\n[threats.pgd]\nepsilon = 0.1\nstep_size = 0.1\n" + VARIANT
    text += """
[[variant]]
name = "drawn"
threats = ["pgd"]
scalarizer = { type = "sampled", rule = "average" }
sweep = { "scalarizer.rule.include_natural" = [false, true] }
"""
    source = read(recipe(text))
    _, one, other = plan_runs(source)
    assert one.train_hash != other.train_hash
    rule = {"type": "average", "include_natural": True}
    assert other.trains["scalarizer"] == {"type": "sampled", "each": "step", "rule": rule}
    json.dumps(other.trains)
    shown = resolved(source, [one, other], ["drawn"]).document["variant"][0]["scalarizer"]
    assert shown == {"type": "sampled", "rule": "average", "each": "step"}


def test_a_run_keeps_its_length_in_its_own_recipe(recipe, tmp_path):
    import tomli_w

    (run,) = plan_runs(read(recipe(WAYS[0] + VARIANT)))
    own = tmp_path / "own.toml"
    own.write_text(tomli_w.dumps(run.document), "utf-8")
    assert tomllib.loads(own.read_text())["training"] == {"passes": 12}
    (again,) = plan_runs(read(own))
    assert again.train_hash == run.train_hash
