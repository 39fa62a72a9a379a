"""A line that is not TOML: it is shown, with what was meant."""

import tomllib

import pytest

from moat.errors import RecipeError
from moat.recipe import read
from moat.recipe.syntax import mend_of_syntax

MEANT = {
    "epsilon = 8/255": '"8/255", or write 0.0313725',
    "epsilon = 8 / 255  # of 255": '"8/255", or write 0.0313725',
    "train = { epsilon = 8/255 }": '"8/255", or write 0.0313725',
    "at_epsilon = [4/255, 8/255]": '"4/255"',
    "epsilon = 2*8": "no arithmetic",
    "epsilon = 1/0": "no arithmetic",
    "x = 2 ^ 3": "no arithmetic",
    "angle = pi/4": "no arithmetic",
    "epsilon = .5": "0.5, 1.0",
    "epsilon = 5.": "0.5, 1.0",
    "epsilon = 0,1": "0.1",
    "size = 08": "without a leading 0",
    "validation = 10%": "0.1",
    "type = pgd": 'quotes: "pgd"',
    "weights = nets/a.pth": 'quotes: "nets/a.pth"',
    "root = ~/data": 'quotes: "~/data"',
    "threats = [pgd, flow]": '["pgd", "flow"]',
    "train = (1, 2)": "[1, 2]",
    "nesterov = True": "Write true",
    "nesterov = off": "Write false",
    "root = None": "leave the key out",
    "epochs: 3": "epochs = 3",
    "epochs 3": "epochs = 3",
    "epochs == 3": "one equals sign",
    "epochs =": "no value",
    "epochs = 3,": "without a comma",
    "epochs = 3;": "semicolon",
    "a = 1 b = 2": "line of its own",
    "type = \u201cpgd\u201d": "straight",
    'root = "C:\\Users\\me"': "single quotes",
    'root = "C:\\data"': "single quotes",
    "// a comment": "with #",
    "a = 1\na = 2": "twice",
    "[a]\n[a]": "a is written twice: put all of its keys into one table [a]",
    "[threats.pgd": "as many brackets",
    '[[variant]\nname = "x"': "as many brackets",
    "x = [1, 2": "closing bracket",
    'x = "abc': "closing quote",
    "train = {\n steps = 5 }": "[table.key]",
    "date = 2020-13-01": "no dates",
}


@pytest.mark.parametrize("text", MEANT)
def test_the_line_and_its_mend_are_shown(tmp_path, text):
    path = tmp_path / "r.toml"
    path.write_text(f"# a recipe\n\n{text}\n", "utf-8")
    with pytest.raises(RecipeError) as refused:
        read(path)
    shown, _, mend = refused.value.hint.partition("\n")
    assert shown in text
    assert MEANT[text] in mend


def test_a_line_that_nobody_understands_is_shown_alone(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text("?!\n", "utf-8")
    with pytest.raises(RecipeError) as refused:
        read(path)
    assert refused.value.hint == "?!"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1", "cp1252"])
def test_another_encoding_is_named_with_its_mend(tmp_path, encoding):
    path = tmp_path / "r.toml"
    path.write_bytes("# Größe\nseeds = [0]\n".encode(encoding))
    with pytest.raises(RecipeError, match="not in UTF-8") as refused:
        read(path)
    assert refused.value.hint == "Save the file as UTF-8; editors call this the encoding."
    assert ("UTF-" in encoding.upper()) == (encoding.upper() in refused.value.message)


def test_what_is_toml_is_never_refused(tmp_path):
    text = 'a = "8/255"\nb = 1e-3\n[c]\nd = 2020-01-01\n'
    path = tmp_path / "r.toml"
    path.write_text(text, "utf-8")
    assert read(path, []).document["c"] == tomllib.loads(text)["c"]


VARIANT = "Begin each variant, the first included, with [[variant]] in double brackets."
ONE_TABLE = "model is written twice: put all of its keys into one table [model]."


@pytest.mark.parametrize(
    ("first", "second", "mend"),
    [
        ("[variant]", "[[variant]]", VARIANT),
        ("[variant]", "[variant]", VARIANT),
        ("[[variant]]", "[variant]", VARIANT),
        ("[ variant ]", "[[ variant ]]  # two", VARIANT),
        ("[variant.a]", "[[variant]]", VARIANT),
        ("variant = [{ name = 'a' }]", "[[variant]]", VARIANT),
        (
            "[[variant]]\n[variant.scalarizer]",
            "[variant.scalarizer]",
            "Begin each variant with [[variant]]; it has one table [variant.scalarizer].",
        ),
        ("[model]", "[model]", ONE_TABLE),
        ("[model]", "[[model]]", ONE_TABLE),
        ('model = "tiny-cnn"', "[model]", ONE_TABLE),
        ('model = { type = "tiny-cnn" }', "[model]", ONE_TABLE),
    ],
)
def test_a_heading_whose_place_is_taken_says_how_it_is_written(first, second, mend):
    text = f'{first}\n{second}\ntype = "a"\n'
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    assert mend_of_syntax(text, caught.value) == f"{second}\n{mend}"
