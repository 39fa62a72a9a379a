import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import moat
from moat.parsing import parse_json
from moat.plain import as_json, json_of

numbers = st.floats() | st.integers() | st.floats(width=32).map(np.float32)
leaves = st.none() | st.booleans() | numbers | st.text() | st.floats().map(torch.tensor)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def strictly(text: str) -> object:
    """Parse as readers do that keep to the standard."""

    def refused(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refused)


@given(trees)
def test_any_tree_is_json_for_every_reader(tree):
    assert (
        strictly(json_of(tree)) == as_json(tree) == parse_json(json_of(tree, indent=2), plain=False)
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("-inf"), np.nan])
def test_what_json_does_not_have_is_null(value):
    assert json_of({"a": [value, (value,)]}) == '{"a": [null, [null]]}'


def test_arrays_are_lists_and_what_is_not_plain_is_its_text():
    told = {"a": np.array([1.0, np.nan]), "b": torch.eye(1), "c": Path("x"), "d": {1}}
    assert strictly(json_of(told)) == {"a": [1.0, None], "b": [[1.0]], "c": "x", "d": "{1}"}


def test_the_figures_of_other_writers_are_read_as_null():
    assert parse_json('{"a": NaN, "b": [-Infinity, 1.5]}') == {"a": None, "b": [None, 1.5]}


def test_nothing_else_in_moat_writes_json_that_is_kept():
    """Elsewhere json.dumps makes keys, hashes and quoted text."""
    writers = {
        path.name
        for path in Path(moat.__file__).parent.rglob("*.py")
        if re.search(r"json\.dumps\(|json\.dump\(", path.read_text())
    }
    keys = {"digests.py", "judge.py", "study_recipe.py", "groups.py"}
    keys |= {
        "comparison.py",
        "estimates.py",
        "evaluation_estimates.py",
        "mends.py",
        "start_look.py",
    }
    assert writers == {"plain.py", "plan.py", *keys}
