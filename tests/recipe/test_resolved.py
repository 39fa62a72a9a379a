"""A recipe as it is understood: defaults and origins in, the same runs out."""

import tomllib
from pathlib import Path

import pytest

from moat.recipe import plan_runs, read
from moat.recipe.resolved import resolved
from moat.recipe.resolved_text import resolved_toml

ROOT = Path(__file__).parents[2]
RECIPES = sorted([*ROOT.glob("recipes/*.toml"), *ROOT.glob("recipes/smoke/*.toml")])


def text_of(path, overrides=(), only=(), seeds=()):
    source = read(path, overrides)
    return resolved_toml(resolved(source, plan_runs(source, only, seeds), only))


def identities(path, overrides=(), only=(), seeds=()):
    plans = plan_runs(read(path, overrides), only, seeds)
    return [(p.variant, p.sweep, p.seed, p.train_hash, p.protocol_hash) for p in plans]


def line_of(path, beginning):
    said = path.read_text("utf-8").splitlines()
    return f"{path}:{1 + [line.startswith(beginning) for line in said].index(True)}"


def lines(text):
    return dict(line.split("  # ", 1) for line in text.splitlines() if "  # " in line)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_what_is_shown_is_a_recipe_of_the_same_runs(path, tmp_path):
    shown = tmp_path / "shown.toml"
    shown.write_text(text_of(path), "utf-8")
    assert identities(shown) == identities(path)
    assert text_of(shown).partition("  # ")[0] == shown.read_text("utf-8").partition("  # ")[0]


MORE = {
    "a type that is swept": 'sweep = { "optimizer.type" = ["sgd"], "schedule" = '
    '[{ type = "cosine" }, { type = "constant" }] }',
    "a scalarizer that is swept": 'sweep = { "scalarizer" = ["max", "average"] }',
    "a threat that is swept": 'sweep = { "threats.flow.type" = ["flow"], '
    '"threats.pgd.train.steps" = [1, 2] }',
    "a path": 'path = { "threats.pgd.epsilon" = [0.1, 0.2] }',
    "legs": 'path = { "threats.pgd.epsilon" = [0.1, 0.2] }\n'
    'legs = { passes = 3, lr = 0.1, optimizer = "kept", schedule = "constant" }',
    "a path beside a sweep": 'sweep = { "optimizer.lr" = [0.1, 0.2] }\n'
    'path = { "scalarizer" = ["average", "max"] }',
    "a start": 'start = { weights = "nowhere/seed-{seed}", optimizer = "kept" }',
    "a rule": 'scalarizer = { type = "two-moment", rho = 0.5 }',
}


@pytest.mark.parametrize("name", MORE)
def test_defaults_do_not_stand_in_the_way_of_a_sweep(recipe, tmp_path, name):
    path = recipe(more=f'\n[[variant]]\nname = "more"\nthreats = ["pgd", "flow"]\n{MORE[name]}\n')
    shown = tmp_path / "shown.toml"
    shown.write_text(text_of(path), "utf-8")
    assert identities(shown) == identities(path)


def test_models_data_and_code_of_any_kind_are_shown(recipe, tmp_path):
    (tmp_path / "root").mkdir()
    path = recipe(
        'type = "digits"',
        'type = "mnist"\nroot = "root"',
        more="\n[published]\nsource = 's'\n"
        "[published.runs.plain]\npgd = 1.0\n[augmentation]\nresized_crop = [0.5, 1.0]\n",
    )
    for model in ("torchvision:squeezenet1_1", "resnet18", "python:torch.nn:Identity"):
        text = path.read_text("utf-8").replace('"tiny-cnn"\nwidth = 4', f'"{model}"')
        own = tmp_path / "own.toml"
        own.write_text(text, "utf-8")
        shown = tmp_path / "elsewhere" / "shown.toml"
        shown.parent.mkdir(exist_ok=True)
        shown.write_text(text_of(own), "utf-8")
        assert identities(shown) == identities(own)
        assert str(tmp_path / "root") in shown.read_text("utf-8")


def test_each_key_says_who_stated_it(recipe):
    base = recipe()
    path = base.with_name("above.toml")
    path.write_text('extends = "study.toml"\n[threats.pgd]\nepsilon = 0.2\n', "utf-8")
    said = lines(text_of(path, ["training.epochs=3"]))
    said = {line.strip(): origin for line, origin in said.items()}
    assert said["epsilon = 0.2"] == f"{path}:3"
    assert said["epsilon = 0.3"] == line_of(base, "epsilon = 0.3")
    assert said["epochs = 3"] == "--set training.epochs=3"
    assert said['precision = "32-true"'] == "default"
    assert said["# pass_size ="] == "default, no value"
    assert said["window = 3"] == line_of(base, 'scalarizer = { type = "two-moment"')


def test_what_is_picked_is_shown_alone(recipe, tmp_path):
    path = recipe("[data]", "seeds = [0, 1]\n[data]")
    shown = tmp_path / "shown.toml"
    shown.write_text(text_of(path, only=["pareto"], seeds=[1]), "utf-8")
    assert identities(shown) == identities(path, only=["pareto"], seeds=[1])
    document = tomllib.loads(shown.read_text("utf-8"))
    assert [variant["name"] for variant in document["variant"]] == ["pareto"]
    assert lines(shown.read_text("utf-8"))['name = "pareto"'.ljust(44)].startswith(str(path))


def test_an_override_of_several_lines_stays_a_comment(recipe, tmp_path):
    path = recipe(more='\n[published]\nsource = "s"\n[published.runs]\n')
    override = 'published.source="""a\nb # \\u001b[31m"""'
    shown = tmp_path / "shown.toml"
    shown.write_text(text_of(path, [override]), "utf-8")
    assert tomllib.loads(shown.read_text("utf-8"))["published"]["source"] == "a\nb # \x1b[31m"
