"""What is typed after --set and --arg holds plain numbers; a file may hold any of TOML's."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import RecipeError
from moat.recipe import read
from moat.recipe.overrides import arguments

SLIPS = {
    "1_0": "10",
    "+1_0.5": "10.5",
    "1e1_0": "10000000000.0",
    "0x10": "16",
    "0o17": "15",
    "0b11": "3",
    "0xdead_beef": "3735928559",
    "[1, 2_0]": "20",
    "[[1], [0x1f]]": "31",
    "{ steps = 1_0 }": "10",
    "{a = {b = [3, 1_0]}}": "10",
    '["1_0", 2_0]': "20",
}
PLAIN = ["10", "-3", "+2", "0.5", "1e-3", "[1, 2]", "{ steps = 3 }", '"1_0"', "'0x10'", "a_1",
         "python:my_module_1:net", "resnet18_1_0", '["a_1", "2_0"]', "{ a_1 = 2, b-2_0 = 3 }",
         "true", "[1e10, 1E+5]", "1_0_", "{ 1_0 = 2 }", "/data/1_0", "1_0/x", "1.5.0_1",
         "0", "-0.0", str(sys.float_info.min)]  # fmt: skip


@pytest.mark.parametrize("text", SLIPS)
def test_a_number_that_may_be_a_slip_is_refused_with_the_plain_one(text):
    with pytest.raises(RecipeError) as refused:
        arguments([f"width={text}"])
    assert refused.value.where == f"--arg width={text}"
    assert refused.value.message.endswith(" is not a plain number.")
    assert refused.value.hint == f"Did you mean {SLIPS[text]}?"


@pytest.mark.parametrize("text", PLAIN)
def test_plain_numbers_and_what_is_no_number_pass(text):
    arguments([f"width={text}"])


@pytest.mark.parametrize("text", ["1e-320", "[0.5, -1e-310]", "{ a = 5e-324 }"])
def test_a_number_too_small_to_divide_by_is_refused(text):
    with pytest.raises(RecipeError, match="is too small to compute with") as refused:
        arguments([f"lr={text}"])
    assert refused.value.hint == "Write 0, or a number of at least 2.23e-308."


def test_an_override_is_held_to_it_and_a_file_is_not(recipe):
    path = recipe("examples = 40", "examples = 4_0")
    assert read(path).document["evaluation"]["examples"] == 40
    with pytest.raises(RecipeError, match=r"--set training.epochs=1_0: 1_0 is not a plain number."):
        read(path, ["training.epochs=1_0"])


@given(st.one_of(st.integers(-(2**63) + 1, 2**63 - 1), st.floats(1e-300, 1e300)))
def test_every_number_as_python_writes_it_is_plain(number):
    table, _ = arguments([f"width={number!r}"])
    assert table["width"] == number
