from pathlib import Path

import pytest

from moat.errors import RecipeError
from moat.recipe import packaged as room
from moat.recipe.load import read
from moat.recipe.packaged import DEMO, packaged, packaged_folder, packaged_recipes, recipe_catalogue

ROOT = Path(__file__).parents[2]


def test_a_checkout_has_them_beside_the_package_and_an_installation_inside(tmp_path, monkeypatch):
    assert packaged_folder() == ROOT / "recipes"
    monkeypatch.setattr(room, "_PACKAGE", tmp_path / "moat")
    assert packaged_folder() == tmp_path / "recipes"
    (tmp_path / "moat" / "recipes").mkdir(parents=True)
    assert packaged_folder() == tmp_path / "moat" / "recipes"


@pytest.mark.parametrize("name", packaged_recipes())
def test_a_packaged_recipe_is_read_by_its_name_from_anywhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    by_name, by_path = read(name), read(packaged_recipes()[name])
    assert (by_name.document, by_name.study) == (by_path.document, by_path.study)


def test_the_last_part_of_a_name_will_do_where_only_one_has_it():
    assert packaged("digits_strong") == ROOT / "recipes/protocols/digits_strong.toml"
    assert packaged("digits") is None  # base/digits, protocols/digits
    assert packaged(DEMO) == ROOT / "recipes/digits_pareto.toml"


def test_a_file_of_ones_own_comes_first_and_a_folder_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEMO).mkdir()  # as in results/
    assert "variant" in read(DEMO).document
    (tmp_path / DEMO).rmdir()
    (tmp_path / DEMO).write_text("seeds = [7]\n")
    assert read(DEMO).document == {"seeds": [7]}


def test_a_recipe_extends_a_packaged_one_by_name(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('extends = "base/digits"\nseeds = [7]\n')
    assert read(own).document == read("base/digits").document | {"seeds": [7]}
    own.write_text('extends = "base/digts"\n')
    with pytest.raises(RecipeError, match=r"Did you mean 'base/digits', which comes with moat\?"):
        read(own)


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("digits_paretto", "digits_pareto"),
        ("recipes/digits_pareto.toml", "digits_pareto"),
        ("digits_strong.toml", "digits_strong"),
        ("protocol/digits_strong", "protocols/digits_strong"),
    ],
)
def test_a_recipe_that_is_missing_is_named_with_the_nearest_packaged_one(
    typed, near, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as refused:
        read(typed)
    assert str(refused.value) == (
        f"{typed}: this recipe does not exist. Did you mean {near!r}, which comes with moat?"
    )


@pytest.mark.parametrize("typed", ["zzz", "zzz.toml", "a\0b"])
def test_what_is_near_nothing_gets_no_advice(typed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as refused:
        read(typed)
    assert "Did you mean" not in str(refused.value)


def test_each_is_listed_with_a_sentence():
    listed = recipe_catalogue()
    assert {one.name for one in listed} == {*packaged_recipes()}
    assert [one.name for one in listed if not one.about.endswith((".", ")"))] == []
