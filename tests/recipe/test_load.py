import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import RecipeError
from moat.recipe import named_model, read
from moat.recipe.overrides import set_key


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(RecipeError) as refused:
        read(path, overrides)
    return str(refused.value)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current folder, so that messages hold short paths."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return Path(name)


# extends


def test_tables_merge_by_key_and_arrays_are_replaced(folder):
    write(folder, "base.toml", 'seeds = [0, 1]\n[data]\ntype = "digits"\nsize = 8\n')
    top = write(folder, "top.toml", 'extends = "base.toml"\nseeds = [7]\n[data]\nsize = 16\n')
    assert read(top).document == {"seeds": [7], "data": {"type": "digits", "size": 16}}


def test_a_table_of_another_type_starts_empty(folder):
    write(
        folder,
        "base.toml",
        '[data]\ntype = "digits"\nsize = 8\nvalidation = 0.1\n'
        '[model]\ntype = "small-cnn"\ndropout = 0.5\n'
        '[schedule]\ntype = "multi-step"\nmilestones = [1]\n'
        '[optimizer]\ntype = "sgd"\nlr = 0.1\nmomentum = 0.9\n',
    )
    top = write(
        folder,
        "top.toml",
        'extends = "base.toml"\n[data]\ntype = "mnist"\n[model]\ntype = "tiny-cnn"\nwidth = 3\n'
        '[schedule]\ntype = "cosine"\n[optimizer]\ntype = "sgd"\nlr = 0.2\n',
    )
    source = read(top)
    assert source.document == {
        "data": {"type": "mnist"},
        "model": {"type": "tiny-cnn", "width": 3},
        "schedule": {"type": "cosine"},
        "optimizer": {"type": "sgd", "lr": 0.2, "momentum": 0.9},  # the same type: merged
    }
    assert source.where("optimizer", "momentum") == "base.toml, optimizer.momentum"
    assert source.where("model", "dropout") == "top.toml, model.dropout"  # the base said another


def test_a_threat_of_another_type_starts_empty_and_its_label_is_the_type_that_it_does_not_say(
    folder,
):
    write(
        folder,
        "base.toml",
        "[threats.pgd]\nepsilon = 0.1\ntrain = { steps = 3 }\n"
        "[threats.flow]\nepsilon = 0.3\n[threats.wide]\ntype = 'flow'\nepsilon = 0.6\n",
    )
    top = write(
        folder,
        "top.toml",
        "extends = 'base.toml'\n[threats]\npgd = { type = 'rt' }\n"
        "flow = { type = 'flow', steps = 9 }\nwide = { steps = 7 }\n",
    )
    assert read(top).document["threats"] == {
        "pgd": {"type": "rt"},
        "flow": {"type": "flow", "epsilon": 0.3, "steps": 9},
        "wide": {"type": "flow", "epsilon": 0.6, "steps": 7},
    }


def test_false_leaves_a_table_of_the_base_out(folder):
    write(
        folder,
        "base.toml",
        "[augmentation]\nflip = true\n[threats]\npgd = { epsilon = 1 }\nrt = {}\n"
        "[published.runs]\n",
    )
    top = (
        "extends = 'base.toml'\npublished = false\nthreats.rt = false\naugmentation.flip = false\n"
    )
    source = read(write(folder, "top.toml", top))
    assert source.document == {"augmentation": {"flip": False}, "threats": {"pgd": {"epsilon": 1}}}
    assert source.where("published", "runs") == "top.toml, published.runs"
    assert source.where("threats", "pgd") == "base.toml, threats.pgd"
    again = read(write(folder, "z.toml", "extends = 'top.toml'\n[published]\nsource = 'a paper'\n"))
    assert again.document["published"] == {"source": "a paper"}
    assert again.where("published", "source") == "z.toml, published.source"


def test_false_where_the_base_has_no_table_is_kept(folder):
    write(folder, "base.toml", "seeds = [0]\n")
    top = write(folder, "top.toml", "extends = 'base.toml'\npublished = false\nseeds = false\n")
    assert read(top).document == {"published": False, "seeds": False}


def test_a_type_that_the_base_does_not_say_replaces_none(folder):
    write(folder, "base.toml", "[model]\nwidth = 3\n")
    top = write(folder, "top.toml", "extends = 'base.toml'\n[model]\ntype = 'tiny-cnn'\n")
    assert read(top).document["model"] == {"width": 3, "type": "tiny-cnn"}


def test_each_key_knows_the_file_that_said_it(folder):
    write(folder, "base/lowest.toml", "[data]\nsize = 8\nsplit_seed = 1\n")
    write(folder, "base/low.toml", 'extends = "lowest.toml"\n[model]\nwidth = 3\n')
    source = read(write(folder, "top.toml", 'extends = "base/low.toml"\n[data]\nsize = 16\n'))
    assert source.where("data", "size") == "top.toml, data.size"
    assert source.where("data", "split_seed") == f"base{os.sep}lowest.toml, data.split_seed"
    assert source.where("model", "width") == f"base{os.sep}low.toml, model.width"
    assert source.where("data", "never", "said") == "top.toml, data.never.said"
    assert source.where() == "top.toml"


def test_what_stood_below_a_replaced_array_is_forgotten(folder):
    write(folder, "base.toml", '[[variant]]\nname = "a"\nscalarizer = { r = 1 }\n')
    top = write(folder, "top.toml", 'extends = "base.toml"\n[[variant]]\nname = "b"\n')
    assert read(top).where("variant", 0, "scalarizer", "r") == "top.toml, variant.b.scalarizer.r"
    said = '--set variant=[{ name = "c" }]'
    source = read(Path("base.toml"), [said.removeprefix("--set ")])
    assert source.where("variant", 0, "scalarizer") == f"{said}, variant.c.scalarizer"
    assert source.where() == "base.toml"


def test_an_entry_of_an_array_is_called_by_its_name_and_odd_keys_are_quoted(folder):
    text = '[[variant]]\nname = "pareto"\nsweep = { "scalarizer.r" = [1] }\n[[variant]]\nname = "ü"'
    source = read(write(folder, "r.toml", text))
    where = source.where("variant", 0, "sweep", "scalarizer.r")
    assert where == 'r.toml, variant.pareto.sweep."scalarizer.r"'
    assert source.where("variant", 1) == 'r.toml, variant."ü"'
    assert source.where("variant", 5) == "r.toml, variant.5"


@pytest.mark.parametrize("files", [["a", "b"], ["a"], ["a", "b", "c"]])
def test_a_circle_is_shown(folder, files):
    for name, base in zip(files, [*files[1:], files[0]], strict=True):
        write(folder, f"{name}.toml", f'extends = "{base}.toml"\n')
    way = " → ".join(str(folder / f"{name}.toml") for name in [*files, "a"])
    assert refusal(Path("a.toml")) == f"a.toml, extends: the recipe extends itself: {way}."


def test_a_base_may_be_extended_twice_on_different_ways(folder):
    write(folder, "base.toml", "seeds = [3]\n")
    write(folder, "middle.toml", 'extends = "base.toml"\n')
    assert read(write(folder, "top.toml", 'extends = "middle.toml"\n')).document == {"seeds": [3]}


def test_a_base_that_is_missing_is_named_with_the_nearest(folder):
    write(folder, "base/digits.toml", "")
    top = write(folder, "top.toml", 'extends = "base/digit.toml"\n')
    assert refusal(top) == (
        "top.toml, extends: no recipe 'base/digit.toml' exists to extend. "
        f"Did you mean 'digits.toml'?\n  Looked for {folder / 'base' / 'digit.toml'}."
    )


def test_a_base_is_one_file(folder):
    top = write(folder, "top.toml", 'extends = ["a.toml", "b.toml"]\n')
    message = "top.toml, extends: extends names one file, not ['a.toml', 'b.toml']."
    assert refusal(top) == message


def test_a_base_that_is_broken_is_named_itself(folder):
    write(folder, "base.toml", "[data]\nsize = 8\nsize = 9\n")
    top = write(folder, "top.toml", 'extends = "base.toml"\n')
    assert refusal(top) == (
        "base.toml: this is not valid TOML: Cannot overwrite a value (at line 3, column 9).\n"
        "  size = 9\n  The table sets the key twice: leave one of them out."
    )


# files


def test_a_syntax_error_says_file_and_line(folder):
    path = write(folder, "r.toml", "[data]\ntype = \n")
    assert refusal(path) == (
        "r.toml: this is not valid TOML: Invalid value (at line 2, column 8).\n"
        "  type =\n  The key has no value."
    )


def test_a_recipe_that_is_missing_is_named_with_the_nearest(folder):
    write(folder, "digits_pareto.toml", "")
    assert refusal(Path("digits-pareto.toml")) == (
        "digits-pareto.toml: this recipe does not exist. Did you mean 'digits_pareto.toml'?"
    )
    assert refusal(Path("zzz.toml")) == (
        "zzz.toml: this recipe does not exist.\n  Give the path of a TOML file, or a name from "
        "`moat list recipes`."
    )


def test_a_folder_is_no_recipe(folder):
    message = f"{folder}: this is a folder; a recipe is a TOML file."
    assert refusal(folder) == f"{message}\n  It contains no TOML file."
    write(folder, "r.toml", "")
    assert refusal(folder) == f"{message}\n  Name one of its files: r.toml."


def test_bytes_that_are_no_text_are_no_recipe(folder):
    (folder / "r.toml").write_bytes(b"\xff\x00")
    assert refusal(Path("r.toml")).startswith(
        "r.toml: the recipe cannot be read: its text is not in UTF-8: line 1 has the byte 0xff"
    )


def test_a_byte_order_mark_does_no_harm(folder):
    (folder / "r.toml").write_bytes("seeds = [1]\n".encode("utf-8-sig"))
    assert read(Path("r.toml")).document == {"seeds": [1]}


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_number_is_finite(folder, number):
    path = write(folder, "r.toml", f"[threats.pgd]\nepsilon = [0.1, {number}]\n")
    assert refusal(path) == f"r.toml, threats.pgd.epsilon.1: a number is finite, not {number}."
    path = write(folder, "r.toml", "")
    assert refusal(path, f"optimizer.lr={number}") == (
        f"--set optimizer.lr={number}, optimizer.lr: a number is finite, not {number}."
    )


# paths


def test_paths_are_read_from_the_folder_of_the_file_that_names_them(folder):
    write(folder, "base/low.toml", 'plugins = ["mine.py"]\n[data]\nroot = "../files"\n')
    top = write(folder, "sub/top.toml", 'extends = "../base/low.toml"\n[model]\nweights = "w.pt"\n')
    document = read(top).document
    assert document["data"]["root"] == str(folder / "files")
    assert document["plugins"] == [str(folder / "base" / "mine.py")]
    assert document["model"]["weights"] == str(folder / "sub" / "w.pt")


@pytest.mark.parametrize("weights", ["IMAGENET1K_V1", "DEFAULT"])
def test_published_weights_are_no_path(folder, weights):
    recipe = write(folder, "r.toml", f'[model]\nweights = "{weights}"\n')
    assert read(recipe).document["model"]["weights"] == weights
    set_ = read(recipe, [f"model.weights={weights}"])
    assert set_.document["model"]["weights"] == weights


@pytest.mark.parametrize("weights", ["w.pth", "w.safetensors", "nets/w"])
def test_a_file_of_weights_is_a_path(folder, weights):
    recipe = write(folder, "sub/r.toml", f'[model]\nweights = "{weights}"\n')
    assert read(recipe).document["model"]["weights"] == str(folder / "sub" / weights)
    set_ = read(recipe, [f"model.weights={weights}"])
    assert set_.document["model"]["weights"] == str(folder / weights)


def test_a_path_that_is_set_is_read_from_where_the_command_runs(folder):
    recipe = write(folder, "sub/r.toml", '[data]\nroot = "files"\n')
    assert read(recipe, ["data.root=here"]).document["data"]["root"] == str(folder / "here")


def test_a_path_may_start_at_home_or_at_the_root(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "home"))
    recipe = write(folder, "r.toml", '[data]\nroot = "~/files"\n')
    assert read(recipe).document["data"]["root"] == str(folder / "home" / "files")
    assert read(recipe, ["data.root=/files"]).document["data"]["root"] == "/files"


INLINE = {
    "a start": ('start={ weights = "here" }', ("start", "weights")),
    "a variant's start": ('variant.pareto.start={ weights="here" }', ("start", "weights")),
    "a variant's start as text": ("variant.pareto.start=here", ("start", "weights")),
    "variants": ('variant=[{ name = "a" }, { name = "b", start = "here" }]', ("start",)),
    "weights": ('model={ type = "resnet18", weights = "./here" }', ("model", "weights")),
    "initial weights": (
        'model={ type = "python:nets:make", initial_weights = "here" }',
        ("model", "initial_weights"),
    ),
    "data": ('data={ type = "image-folder", root = "here" }', ("data", "root")),
    "plugins": ('plugins=["here"]', ("plugins", 0)),
}


@pytest.mark.parametrize("case", INLINE)
def test_a_path_in_a_table_or_a_list_that_is_set_is_relative_to_where_moat_runs(recipe, case):
    text, place = INLINE[case]
    held = read(recipe(name="sub/study.toml"), [text]).document
    held = held if place[0] in held and "variant" not in text else held["variant"][-1]
    for part in place:
        held = held[part]
    assert held == str(Path.cwd() / "here")


@pytest.mark.parametrize("text", ['data={ root = "" }', 'start={ weights="" }', 'plugins=[" "]'])
def test_an_empty_path_is_refused(recipe, text):
    said = refusal(recipe(), text)
    assert "should be a path, and " in said
    assert said.startswith(f"--set {text}: ")


# --set


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.2", 0.2),
        ("3", 3),
        ("true", True),
        ('"digits"', "digits"),
        ("digits", "digits"),
        ("python:nets:make", "python:nets:make"),
        ("[1, 2]", [1, 2]),
        ("{ steps = 3 }", {"steps": 3}),
        ("a=b", "a=b"),
        ("", ""),
        (" 3 ", 3),
    ],
)
def test_an_override_is_toml_or_else_a_string(folder, text, value):
    recipe = write(folder, "r.toml", "")
    assert read(recipe, [f"some.key={text}"]).document == {"some": {"key": value}}


def test_an_override_reaches_an_entry_of_an_array_by_its_name(recipe):
    source = read(recipe(), ["variant.pareto.scalarizer.window=9", "variant.plain.threats=['pgd']"])
    plain, _, pareto = source.document["variant"]
    assert plain["threats"] == ["pgd"]
    assert pareto["scalarizer"] == {"type": "two-moment", "window": 9}


def test_a_scalarizer_given_by_name_becomes_a_table_when_a_key_of_it_is_set(recipe):
    source = read(recipe(), ["variant.plain.scalarizer.include_natural=true"])
    assert source.document["variant"][0]["scalarizer"] == {
        "type": "natural",
        "include_natural": True,
    }


def test_the_last_override_of_a_key_wins(recipe):
    assert read(recipe(), ["model.width=3", "model.width=4"]).document["model"]["width"] == 4


def test_what_is_set_is_said_by_set_and_what_is_below_stays_with_its_file(folder):
    recipe = write(folder, "r.toml", "[threats.pgd]\nepsilon = 0.1\n")
    source = read(recipe, ["threats.pgd.train.epsilon=0.2"])
    said = "--set threats.pgd.train.epsilon=0.2"
    assert source.where("threats", "pgd", "train", "epsilon").startswith(f"{said}, ")
    assert source.where("threats", "pgd", "train").startswith(f"{said}, ")  # made by it
    assert source.where("threats", "pgd", "epsilon") == "r.toml, threats.pgd.epsilon"


@pytest.mark.parametrize("text", ["model.width", "=3", "model..width=3", ".width=3", "model.=3"])
def test_an_override_has_a_key_and_a_value(recipe, text):
    assert refusal(recipe(), text) == (
        f"--set {text}: write an override as key=value, with a dotted key, as in "
        f"data.validation=0.1."
    )


def test_an_override_goes_through_tables_only(recipe):
    assert refusal(recipe(), "data.type.x=3") == (
        "--set data.type.x=3: data.type is not a table, but 'digits'."
    )


def test_an_override_of_an_unknown_variant_offers_the_nearest(recipe):
    assert refusal(recipe(), "variant.parto.threats=[]") == (
        "--set variant.parto.threats=[]: variant has no 'parto'. Did you mean 'pareto'?\n"
        "  known: plain, pgd-at, pareto"
    )


def test_an_override_of_an_entry_as_a_whole_says_what_to_write(recipe):
    assert refusal(recipe(), "variant.pareto=3") == (
        "--set variant.pareto=3: variant is an array; name one of its entries.\n"
        "  Write a whole array, or a key of one entry, as in variant.NAME.scalarizer.r."
    )


# the study's name


def test_a_study_is_called_like_its_file(recipe):
    assert read(recipe(name="my_study.toml")).study == "my_study"


def test_overrides_give_a_study_a_name_of_its_own_whatever_their_order(recipe):
    path = recipe()
    names = {
        read(path, overrides).study
        for overrides in ([], ["model.width=3"], ["model.width=4"], ["model.width=3", "seeds=[1]"])
    }
    assert len(names) == 4
    assert all(name == "study" or name.startswith("study+") for name in names)
    one, other = ["model.width=3", "seeds=[1]"], ["seeds=[1]", "model.width=3"]
    assert read(path, one).study == read(path, other).study


# properties

keys = st.text("abc", min_size=1, max_size=2)
leaves = st.integers() | st.booleans() | st.text("xy", max_size=2) | st.lists(st.integers())
documents = st.dictionaries(keys, st.recursive(leaves, lambda d: st.dictionaries(keys, d)))


@given(document=documents, path=st.lists(keys, min_size=1, max_size=3), value=leaves)
def test_a_key_that_is_set_is_found_again_and_no_other_is_lost(document, path, value):
    before = {k: v for k, v in document.items() if k != path[0]}
    with suppress(RecipeError):  # it leads through something that is not a table
        set_key(document, tuple(path), value, "here")
        held = document
        for part in path[:-1]:
            held = held[part]
        left_out = value is False and path[-1] not in held  # it was a table
        assert left_out or held[path[-1]] == value
    assert {k: v for k, v in document.items() if k != path[0]} == before


@pytest.mark.parametrize("name", ["caf\udce9", "two\nlines", "\x1b[31mred", "\u202eturned"])
def test_a_recipe_whose_name_cannot_be_shown_is_refused(name, tmp_path):
    path = tmp_path / f"{name}.toml"
    path.write_text("seeds = [0]")
    with pytest.raises(RecipeError, match="has unprintable characters") as caught:
        read(path)
    assert caught.value.hint == "Rename the file."


@pytest.mark.parametrize(
    ("override", "where"),
    [('data.root="caf\udce9"', "data.root"), ('threats."\udce9".epsilon=1', 'threats."\udce9"')],
)
def test_what_is_no_utf8_is_refused_before_a_run_keeps_it(override, where, tmp_path):
    path = tmp_path / "study.toml"
    path.write_text("seeds = [0]")
    with pytest.raises(RecipeError, match="text must be Unicode") as caught:
        read(path, [override])
    assert where in caught.value.where


# paths and names


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[data]\nroot = "~nobody-at-all/x"\n', "data.root"),
        ('[model]\nweights = "~nobody-at-all/x.pth"\n', "model.weights"),
        ('plugins = ["~nobody-at-all/x.py"]\n', "plugins"),
    ],
)
def test_a_home_that_nobody_has_is_no_path(folder, text, key):
    path = write(folder, "r.toml", text)
    assert "is not a path: no such home folder is known." in refusal(path)
    assert refusal(path).startswith(f"r.toml, {key}: '~nobody-at-all/x")


@pytest.mark.parametrize("key", ["data.root", "model.weights"])
def test_neither_is_one_of_an_override_or_an_argument(folder, key):
    path = write(folder, "r.toml", "[data]\n")
    assert "no such home folder is known" in refusal(path, f"{key}=~nobody-at-all/x.pth")
    with pytest.raises(RecipeError, match="no such home folder is known"):
        named_model("resnet18", ["weights=~nobody-at-all/x.pth"])


def test_a_path_with_a_nul_and_one_that_leads_back_are_none(folder):
    path = write(folder, "r.toml", '[data]\nroot = "a\\u0000b"\n')
    assert "is not a path: " in refusal(path)
    (folder / "circle.toml").symlink_to("circle.toml")
    assert "circle.toml: the recipe cannot be read: " in refusal(folder / "circle.toml")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("a." * 5000 + "a=1", "the key has 5,001 parts."),
        ("a=" + "[" * 5000, "its value cannot be read: it nests deeper than 32 levels."),
        ("a=0x" + "f" * 100, "a: a whole number has at most 64 bits."),
        ("a=" + "1" * 5000, "its value cannot be read: a number has more than 400 digits."),
        ("a=1\nb=2", "set one key at a time."),
    ],
)
def test_an_override_has_the_bounds_of_a_recipe(folder, override, said):
    assert refusal(write(folder, "r.toml", "[data]\n"), override).endswith(said)


def test_recipes_extend_one_another_so_far(folder):
    write(folder, "r0.toml", "seeds = [0]\n")
    for number in range(1, 18):
        path = write(folder, f"r{number}.toml", f'extends = "r{number - 1}.toml"\n')
    assert refusal(path).endswith("extends: the recipe extends 16 others, one after another.")


def test_what_is_no_file_is_not_extended(folder):
    path = write(folder, "r.toml", 'extends = "/dev/zero"\n')
    assert "no recipe '/dev/zero' exists to extend." in refusal(path)
