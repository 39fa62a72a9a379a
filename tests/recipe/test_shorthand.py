"""Tables by their types alone, fractions as text: read as what they are short for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import RecipeError
from moat.recipe import plan_runs, read
from moat.recipe.shorthand import number_of

SHORT = {
    "data": ('[data]\ntype = "digits"\n', 'data = "digits"\n'),
    "model": ('[model]\ntype = "tiny-cnn"\nwidth = 4\n', 'model = "tiny-cnn"\n'),
    "schedule": ("[data]", 'schedule = "cosine"\n[data]'),
}


def plans(path, *overrides: str):
    return plan_runs(read(path, overrides))


@pytest.mark.parametrize("table", SHORT)
def test_a_table_that_is_text_is_the_table_of_that_type(recipe, table):
    old, short = SHORT[table]
    path = recipe(old, short if old == "[data]" else "")
    if old != "[data]":  # a key of the top stands above every table
        path.write_text(short + path.read_text("utf-8"), "utf-8")
    document = read(path).document
    assert document[table] == {"type": short.split('"')[1]}
    assert plans(path)


@pytest.mark.parametrize("override", ["schedule=cosine", "model=small-cnn", "data=digits"])
def test_so_is_a_table_that_is_set(recipe, override):
    key, _, name = override.partition("=")
    document = read(recipe(), [override]).document
    assert document[key] == {"type": name}


def test_a_threat_by_its_type_alone_takes_that_threats_defaults(recipe):
    document = read(recipe(), ["threats.wide=flow"]).document
    assert document["threats"]["wide"] == {"type": "flow"}


def test_a_table_by_its_type_alone_replaces_another_type_of_the_base(recipe, tmp_path):
    recipe(name="base.toml")
    top = tmp_path / "top.toml"
    top.write_text('extends = "base.toml"\nmodel = "small-cnn"\n', "utf-8")
    assert read(top).document["model"] == {"type": "small-cnn"}


PLACES = {
    "of a threat": ("epsilon = 0.1", 'epsilon = "51/510"'),
    "with blanks": ("epsilon = 0.1", 'epsilon = " 51 / 510 "'),
    "for training": ("step_size = 0.05\n", 'step_size = 0.05\ntrain = { epsilon = "1/10" }\n'),
    "of the data": ("[model]", 'validation = "1/10"\n[model]'),
    "of the optimizer": ("lr = 0.5", 'lr = "1/2"'),
    "in a list": ("[data]", 'augmentation = { resized_crop = ["1/4", 1] }\n[data]'),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_fraction_as_text_is_its_number_wherever_a_number_may_stand(recipe, place):
    old, text = PLACES[place]
    numbers = text
    for fraction, number in (("51/510", "0.1"), (" 51 / 510 ", "0.1"), ("1/10", "0.1")):
        numbers = numbers.replace(f'"{fraction}"', number)
    numbers = numbers.replace('"1/2"', "0.5").replace('"1/4"', "0.25")
    as_text, as_number = plans(recipe(old, text)), plans(recipe(old, numbers))
    assert [plan.trains for plan in as_text] == [plan.trains for plan in as_number]
    assert [plan.evaluates for plan in as_text] == [plan.evaluates for plan in as_number]


def test_radii_and_sweeps_take_fractions(recipe):
    path = recipe("at_steps = [1, 2]", 'at_epsilon = ["1/20", "1/10"]')
    assert plans(path)[0].protocol.at_epsilon["pgd"] == (0.05, 0.1)
    path = recipe("[0.5, 1.0]", '["1/2", "1"]')
    with pytest.raises(RecipeError, match="should be a valid number, not '1'"):
        plans(path)
    path = recipe("[0.5, 1.0]", '["1/2", 1.0]')
    assert [plan.label for plan in plans(path)][2:] == ["pareto r=0.5", "pareto r=1.0"]


@pytest.mark.parametrize("text", ["8/255", '"8/255"', "8 / 255"])
def test_a_fraction_that_is_set_needs_no_quotes(recipe, text):
    (threat,) = plans(recipe(), f"threats.pgd.epsilon={text}")[1].threats.values()
    assert threat.epsilon == 8 / 255


def test_a_text_that_looks_like_a_fraction_stays_a_text_where_text_is_asked_for(recipe):
    path = recipe('type = "digits"', 'type = "image-folder"\nfolder = "8/255"')
    assert plans(path)[0].dataset.folder == "8/255"


@pytest.mark.parametrize("text", ["1/0", "8/255/2", "2*8/255", "a/b", "/", "1/" + "2" * 99])
def test_what_is_no_fraction_is_refused(recipe, text):
    with pytest.raises(RecipeError, match=r"threats\.pgd\.epsilon: should be a valid number, not"):
        plans(recipe("epsilon = 0.1", f'epsilon = "{text}"'))


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_a_fraction_of_any_two_numbers_is_what_python_divides(above, below):
    assert number_of(f"{above!r}/{below!r}") == above / below
