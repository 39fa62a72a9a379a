"""What is too long for a message is cut in the middle, wherever it stands."""

import pytest

from moat.errors import MoatError, RecipeError
from moat.recipe import plan_runs, read
from moat.short_text import cut_short, with_short_words

LONG, WORDS = "abcdefghij" * 30, "word and " * 40
BASE = (
    'data = "digits"\nmodel = "tiny-cnn"\n[optimizer]\ntype = "adamw"\nlr = 0.01\n'
    "[training]\nepochs = 1\nbatch_size = 8\n"
)
VARIANT = '[[variant]]\nname = "natural"\n'


def refusal(folder, text):
    path = folder / "r.toml"
    path.write_text(text)
    with pytest.raises(RecipeError) as refused:
        plan_runs(read(path))
    return refused.value


def test_a_text_keeps_its_ends_and_never_exceeds_its_bound():
    for most in (7, 12, 80):
        cut = cut_short(LONG, most)
        assert len(cut) == most
        head, tail = cut.split("...")
        assert LONG.startswith(head)
        assert LONG.endswith(tail)
    assert cut_short("short") == "short"


def test_words_are_cut_and_paths_are_kept():
    path = f"/home/me/{'nets/' * 40}net.pth"
    assert with_short_words(f"{path} is not {LONG}.").startswith(f"{path} is not abcdefghij")
    assert len(with_short_words(f"not {LONG}.")) < 110
    assert with_short_words(WORDS) == WORDS


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            f'{BASE}[[variant]]\nname = "{LONG}"\n',
            "should have at most 255 letters, and has 300.",
            "Shorten it: it becomes the name of a folder.",
        ),
        (
            f'{BASE}{VARIANT}[threats.{LONG}]\ntype = "pgd"\nepsilon = 0.1\n',
            "should have at most 200 letters, and has 300.",
            "Shorten it: it becomes a part of files' names.",
        ),
        (
            f'{BASE}{VARIANT}[evaluation.ensembles]\n{LONG} = ["pgd"]\n',
            "should have at most 200 letters, and has 300.",
            "Shorten it: it becomes a part of files' names.",
        ),
        (
            f'tags = ["{WORDS}"]\n{BASE}{VARIANT}',
            f"should have at most 100 letters, and has 360: {cut_short(repr(WORDS))}.",
            "Shorten it, and say the rest in notes.",
        ),
        (
            f'notes = "{"a" * 10_001}"\n{BASE}{VARIANT}',
            f"should have at most 10,000 letters, and has 10,001: {cut_short(repr('a' * 10_001))}.",
            "Shorten it.",
        ),
    ],
)
def test_a_name_that_is_too_long_is_said_once_with_its_mend(tmp_path, text, message, hint):
    refused = refusal(tmp_path, text)
    assert (refused.message, refused.hint) == (message, hint)
    assert max(map(len, str(refused).replace(str(tmp_path), "").splitlines())) < 230


@pytest.mark.parametrize(
    "text",
    [
        BASE.replace("epochs = 1", f'epochs = "{LONG}"'),
        BASE.replace("epochs = 1", f"epochs = {[*range(300)]}"),
        BASE.replace("tiny-cnn", LONG),
        BASE.replace("tiny-cnn", f"python:{LONG}:Net"),
        BASE.replace("tiny-cnn", f"python:math:{LONG}"),
        f"{LONG} = 1\n{BASE}",
        f"{BASE}{VARIANT}".replace('"\n', f'"\nthreats = ["{LONG}"]\n'),
        f'{BASE}{VARIANT}sweep = {{ "{LONG}" = [1] }}\n',
    ],
)
def test_no_long_value_fills_a_message(tmp_path, text):
    refused = refusal(tmp_path, text if "variant" in text else text + VARIANT)
    said = str(refused).replace(str(tmp_path), "")
    assert LONG not in said
    assert "..." in said
    assert len(said) < 800


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f'plugins = ["{LONG}.py"]\n{BASE}', "plugins"),
        (f'code = "{LONG}"\n{BASE}', "code"),
        (
            BASE.replace(
                '"tiny-cnn"',
                f'{{ type = "python:torch.nn:Linear", initial_weights = "{LONG}.pth" }}',
            ),
            "model.initial_weights",
        ),
        (BASE.replace('"digits"', f'{{ type = "mnist", root = "{LONG}" }}'), "data.root"),
    ],
)
def test_a_path_that_no_system_has_is_refused_by_its_key(tmp_path, text, key):
    refused = refusal(tmp_path, text + VARIANT)
    assert refused.where.endswith(f"r.toml, {key}")
    assert refused.message.startswith("a part of the path has more than 255 bytes: 'abcdefghij")
    assert refused.hint == "Shorten it: no usual file system has such a name."


def test_every_error_is_cut_where_it_is_printed_and_whole_for_python():
    error = MoatError(f"no such name: {LONG}", where=LONG, hint=LONG)
    assert LONG not in str(error)
    assert error.where == LONG
