from pathlib import Path

import pytest
import typer

from moat.cli.app import app
from moat.recipe.packaged import DEMO, packaged_recipes
from moat.version import __version__

CUT = ("--only", "natural", "--set", "training.epochs=1", "--set", "evaluation.examples=10")


def options(command: str) -> set[str]:
    group = typer.main.get_command(app)
    return {word for option in group.commands[command].params for word in option.opts}


def test_the_demo_has_the_options_of_train_and_no_recipe():
    assert options("demo") == options("train") - {"recipe"}


def test_it_trains_the_packaged_recipe_where_it_is_asked_to_and_says_what_is_next(moat):
    answer = moat("demo", *CUT, "--results", "there", "--jobs", "1")
    assert (answer.code, answer.err) == (0, "")
    (study,) = Path("there").glob(f"{DEMO}+*")
    assert (study / "natural" / "seed-0" / "run.json").is_file()
    lines = answer.out.splitlines()
    assert lines[-4:-1] == [
        "1 run(s) done, 0 skipped as finished, 0 failed.",
        f"Next: moat front {study}",
        f"      moat report {study}",
    ]
    assert lines[-1] == (
        f'A study of your own begins with extends = "{DEMO}", or a copy of '
        f"{packaged_recipes()[DEMO]}"
    )
    same = moat("train", DEMO, *CUT, "--results", "there")
    assert "0 run(s) done, 1 skipped as finished, 0 failed." in same.out


def test_its_dry_run_trains_nothing(moat):
    answer = moat("demo", "--dry-run")
    assert answer.code == 0
    assert "A study of your own" not in answer.out
    assert not Path("results", DEMO).exists()


@pytest.mark.parametrize("wrong", [("--only", "nobody"), ("--jobs", "many"), ("a.toml",)])
def test_what_is_wrong_is_refused_as_train_refuses_it(moat, wrong):
    answer = moat("demo", *wrong)
    assert answer.code == 2
    assert answer.err


def test_the_packaged_recipes_are_listed(moat):
    answer = moat("list", "recipes", "--format", "csv")
    assert answer.code == 0
    assert (
        f"digits_pareto,moat-robust {__version__},The columns of the paper's Table 1"
        in answer.out.replace('"', "")
    )
    assert moat("list", "recipes", "--load", "--format", "csv").out == answer.out
