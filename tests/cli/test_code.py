"""Code runs where somebody asked for it, and nowhere else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli_w

import moat as package
from moat.errors import CodeError
from moat.runs import RunFolder

MARKED = "from pathlib import Path\nPath({mark!r}).touch()\n"


@pytest.fixture(scope="module")
def finished(shared_folder) -> Path:
    """A results folder with two finished runs of a recipe without any code."""
    from moat import study

    def fill(folder: Path) -> None:
        small = Path(__file__).parents[1] / "small.toml"
        study.train(small, only=("plain", "pgd-at"), results=folder, device="cpu")

    return shared_folder("without code", fill) / "small"


@pytest.fixture
def theirs(finished, tmp_path) -> Path:
    """Somebody else's copy of it, beside the recipe that made it."""
    shutil.copytree(finished, tmp_path / "theirs" / "small")
    shutil.copy(Path(__file__).parents[1] / "small.toml", tmp_path)
    return tmp_path / "theirs" / "small"


@pytest.fixture(params=["plugins", "model"])
def planted(request, theirs, tmp_path) -> Callable[..., Path]:
    """Let the recipe of a run name code that leaves a mark; return the mark."""

    def plant(run: str) -> Path:
        mark = tmp_path / "mark"
        name = f"planted_{request.param}_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{name}.py").write_text(MARKED.format(mark=str(mark)), "utf-8")
        folder = RunFolder(theirs / run)
        recipe = folder.read_recipe() or {}
        if request.param == "plugins":
            recipe["plugins"] = [str(tmp_path / f"{name}.py")]
        else:
            recipe["model"] = {"type": f"python:{name}:make"}
        folder.recipe.write_text(tomli_w.dumps(recipe), "utf-8")
        return mark

    return plant


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "theirs/small/plain"],
        [
            "evaluate",
            "theirs/small/plain",
            "--protocol",
            "small.toml",
            "--set",
            "evaluation.seed=1",
        ],
        ["train", "small.toml", "--only", "plain", "--results", "theirs"],
    ],
)
def test_what_a_results_folder_names_does_not_run_unasked(moat, planted, theirs, command):
    mark = planted("plain/seed-0")
    before = (theirs / "plain/seed-0/run.json").read_bytes()
    answer = moat(*command)
    assert (answer.code, mark.exists()) == (2, False)
    assert "the recipe in this results folder names code, which does not run unasked" in answer.err
    assert "--allow-code" in answer.err
    assert "runs code" not in answer.out
    assert (theirs / "plain/seed-0/run.json").read_bytes() == before


def test_another_run_of_the_study_runs_no_code_when_images_are_transferred(moat, planted, theirs):
    mark = planted("pgd-at/seed-0")
    answer = moat("evaluate", theirs / "plain")
    assert (answer.code, mark.exists()) == (0, False)


@pytest.mark.parametrize("planted", ["plugins"], indirect=True)  # the other is no longer its model
def test_it_runs_where_it_is_allowed_and_is_said_first(moat, planted):
    mark = planted("plain/seed-0")
    answer = moat("evaluate", "theirs/small/plain", "--allow-code")
    assert mark.exists()
    first = answer.out.splitlines()[0]
    assert first.startswith("runs code: ")
    assert "planted_" in first
    assert ".py" in first


def test_a_model_of_moats_own_is_loaded_without_the_code_of_its_recipe(planted, theirs, request):
    mark = planted("plain/seed-0")
    folder = theirs / "plain/seed-0"
    if "model" in request.node.callspec.id:
        with pytest.raises(CodeError) as refused:
            package.load(folder)
        assert "in Python: allow_code=True of moat.load" in str(refused.value)
    else:
        package.load(folder)  # a plug-in of the recipe declares something else
        package.load(folder, allow_code=True)
    assert not mark.exists()


@pytest.mark.parametrize(
    "command",
    [
        ["front", "theirs"],
        ["report", "theirs", "--html", "page.html"],
        ["score", "theirs"],
        ["compare", "theirs/small/plain", "theirs/small/pgd-at"],
        ["plot", "theirs", "--kind", "parallel"],
        ["watch", "theirs", "--once"],
    ],
)
def test_commands_that_read_results_run_no_code(moat, planted, command):
    mark = planted("plain/seed-0")
    answer = moat(*command)
    assert (answer.code, mark.exists()) == (0, False)
    assert "runs code" not in answer.out + answer.err


@pytest.fixture
def recipe_with_code(tmp_path) -> tuple[Path, Path, Path]:
    """A recipe that names a plug-in and, in a sweep, a callable; both files leave a mark."""
    mark = tmp_path / "mark"
    tag = tmp_path.name.replace("-", "_")
    plugin, nets = tmp_path / f"plugin_{tag}.py", tmp_path / f"nets_{tag}.py"
    plugin.write_text(MARKED.format(mark=str(mark)), "utf-8")
    nets.write_text(
        f"{MARKED.format(mark=str(mark))}\nfrom torch import nn\n\ndef make():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))\n",
        "utf-8",
    )
    text = (Path(__file__).parents[1] / "small.toml").read_text("utf-8")
    sweep = f'sweep = {{ "model.type" = ["tiny-cnn", "python:{nets.stem}:make"] }}'
    text = text.replace("width = 4\n", "")
    text = text.replace('scalarizer = "natural"\n', f'scalarizer = "natural"\n{sweep}\n')
    path = tmp_path / "coded.toml"
    path.write_text(f'plugins = ["{plugin.name}"]\n{text}', "utf-8")
    return path, plugin, nets


def test_the_code_of_a_named_recipe_runs_and_the_first_line_says_which(moat, recipe_with_code):
    path, plugin, nets = recipe_with_code
    answer = moat("train", path, "--dry-run", "--only", "plain")
    assert answer.code == 0, answer.err
    first, *others = answer.out.splitlines()
    assert first == f"runs code: {plugin}, python:{nets.stem}:make ({nets})"
    assert not any(line.startswith("runs code") for line in others)


@pytest.mark.parametrize(
    "command",
    [
        ["train", "coded.toml"],
        ["train", "coded.toml", "--dry-run"],
        ["evaluate", "theirs/small/plain", "--protocol", "coded.toml"],
        ["evaluate", "--model", "python:os:getcwd", "--protocol", "small.toml"],
        ["train", "small.toml", "--set", "model.type=python:os:getcwd", "--set", "model.width=1"],
    ],
)
def test_no_code_refuses_that_of_a_named_recipe_too(
    moat, theirs, recipe_with_code, tmp_path, command
):
    answer = moat(*command, "--no-code")
    assert answer.code == 2
    assert "it names code, which --no-code refuses to run: " in answer.err
    assert not (tmp_path / "mark").exists()
    assert not (tmp_path / "results").exists()


def test_who_says_no_to_code_is_not_told_to_allow_it(moat, planted, theirs):
    mark = planted("plain/seed-0")
    answer = moat("evaluate", "theirs/small/plain", "--no-code")
    assert (answer.code, mark.exists()) == (2, False)
    assert "this results folder names code, which --no-code refuses to run: " in answer.err
    assert "--allow-code" not in answer.err
    assert "To read its stored scores: moat score" in answer.err


def test_a_study_with_code_goes_on_without_being_asked_again(moat, recipe_with_code):
    path, *_ = recipe_with_code
    pick = ["--only", "plain", "--set", "training.epochs=1"]
    assert moat("train", path, *pick).code == 0
    again = moat("train", path, *pick)
    assert "0 run(s) done, 2 skipped as finished" in again.out
    (study,) = Path("results").glob("coded+*")
    assert moat("evaluate", study).code == 2  # nobody named its recipe here
    assert moat("evaluate", study, "--allow-code").code == 0


@pytest.mark.parametrize("study", ["../../outside", "{tmp}/outside", "", "..", "a\0b", "a/b"])
def test_a_record_that_points_elsewhere_writes_nothing_there(moat, theirs, tmp_path, study):
    file = theirs / "plain/seed-0/run.json"
    record = json.loads(file.read_text("utf-8"))
    record["study"] = study.format(tmp=tmp_path)
    file.write_text(json.dumps(record), "utf-8")
    before = sorted(tmp_path.rglob("*"))
    words = ["--protocol", "small.toml", "--set", "evaluation.seed=1", "--results", "mine"]
    answer = moat("evaluate", theirs / "plain", *words)
    assert answer.code == 2
    assert f"{file}: its record is not moat's: study is " in answer.err
    assert sorted(tmp_path.rglob("*")) == before
