import tomllib
from pathlib import Path

import pytest

from moat.recipe.provenance import items
from moat.recipe.statement_lines import statement_lines

RECIPES = sorted(Path(__file__).parents[2].glob("recipes/**/*.toml"))

TEXT = '''\
# a comment
top = 1

[a]
b.c = [
  1,  # [not a table]
  2,
]
text = """
[x]
y = 1
"""
inline = { k = 1, deep = { l = [3] } }
"quoted.key" = 1

[a.below]
d = 1

[[list]]
name = "one"
[list.in]
e = 1
[[list.rows]]
f = 1
[[list.rows]]
f = 2

[[list]]
name = "two"
[list.in]
e = 2
'''


def test_each_key_has_the_line_that_its_statement_begins_with():
    assert statement_lines(TEXT) == {
        ("top",): 2,
        ("a",): 4,
        **dict.fromkeys([("a", "b"), ("a", "b", "c")], 5),
        **dict.fromkeys([("a", "b", "c", "0"), ("a", "b", "c", "1")], 5),
        ("a", "text"): 9,
        **dict.fromkeys([("a", "inline"), ("a", "inline", "k"), ("a", "inline", "deep")], 13),
        **dict.fromkeys([("a", "inline", "deep", "l"), ("a", "inline", "deep", "l", "0")], 13),
        ("a", "quoted.key"): 14,
        ("a", "below"): 16,
        ("a", "below", "d"): 17,
        ("list", "0"): 19,
        ("list", "0", "name"): 20,
        ("list", "0", "in"): 21,
        ("list", "0", "in", "e"): 22,
        ("list", "0", "rows", "0"): 23,
        ("list", "0", "rows", "0", "f"): 24,
        ("list", "0", "rows", "1"): 25,
        ("list", "0", "rows", "1", "f"): 26,
        ("list", "1"): 28,
        ("list", "1", "name"): 29,
        ("list", "1", "in"): 30,
        ("list", "1", "in", "e"): 31,
    }


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_plain_key_of_a_recipe_has_a_line_that_names_it(path):
    text = path.read_text("utf-8")
    lines, found = text.splitlines(), statement_lines(text)
    for key, value in items(tomllib.loads(text)):
        if key and not isinstance(value, dict | list):
            assert key[-1] in lines[found[key] - 1] or key[-1].isdigit()
