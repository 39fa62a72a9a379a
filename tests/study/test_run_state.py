"""A folder beside its plan: each file is read once, and what was changed by hand is told."""

import sys
from collections import Counter
from pathlib import Path

import pytest

from moat.errors import RunFolderError
from moat.recipe import Recipe
from moat.runs import RunFolder
from moat.study import evaluate_run, evaluate_under, plan
from moat.study.own_recipe import keep_recipe, own_plan
from moat.study.run_state import RunState

_heard: list[list[str]] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _heard:
        _heard[-1].append(str(arguments[0]))


sys.addaudithook(_hear)  # no hook can be taken away


@pytest.fixture
def opened():
    """The files that were opened since."""
    _heard.append([])
    yield _heard[-1]
    _heard.pop()


@pytest.fixture
def runs(recipe, trained):
    return trained(recipe(), "plain", "pgd-at")


def state_of(recipe, run: Path) -> RunState:
    (planned,) = plan(recipe, only=[run.parent.name])
    return RunState(planned, RunFolder(run))


# what is read


def test_skipping_a_finished_run_opens_each_of_its_files_once(recipe, train, runs, opened):
    assert train(recipe(), only=("plain", "pgd-at")).skipped == runs
    for run in runs:
        below = Counter(Path(path).name for path in opened if Path(path).parent == run)
        assert below == {
            "run.json": 1,
            "recipe.toml": 1,
            "model.safetensors": 1,
            "evaluation.json": 1,
            "evaluation.npz": 1,
        }


def test_skipping_plans_no_recipe_of_a_run_and_loads_no_weights_and_no_matrix(
    recipe, runs, monkeypatch
):
    states = [state_of(recipe(), run) for run in runs]
    for place in ("folder.load_arrays", "folder.load_weights"):
        monkeypatch.setattr(f"moat.runs.{place}", lambda *a, **k: pytest.fail("it was loaded"))
    monkeypatch.setattr(Recipe, "model_validate", lambda *a: pytest.fail("it was planned"))
    assert [state.left for state in states] == ["nothing", "nothing"]


@pytest.mark.parametrize("name", ["digits_pareto", "mnist_pareto", "cifar10_strong_pgd"])
def test_the_recipe_that_a_folder_keeps_is_known_without_a_plan(name, tmp_path, monkeypatch):
    plans = plan(Path(__file__).parents[2] / "recipes" / f"{name}.toml")
    monkeypatch.setattr(Recipe, "model_validate", lambda *a: pytest.fail("it was planned"))
    for planned in plans:
        folder = RunFolder(tmp_path / planned.path)
        folder.path.mkdir(parents=True)
        keep_recipe(planned, folder)
        assert own_plan(planned, folder, folder.read_recipe()) is planned


# what is left


def removed(*names: str):
    def remove(run: Path) -> None:
        for name in names:
            (run / name).unlink()

    return remove


LEFT = {
    "nothing was removed": (removed(), "nothing"),
    "the record": (removed("run.json"), "training"),
    "the recipe": (removed("recipe.toml"), "evaluation"),
    "the weights": (removed("model.safetensors"), "evaluation"),
    "the matrix": (removed("evaluation.npz"), "evaluation"),
    "the scores": (removed("evaluation.json"), "evaluation"),
    "what no run needs": (removed("checkpoint.pt", "gallery.npz", "log.jsonl"), "nothing"),
}


@pytest.mark.parametrize("how", LEFT)
def test_what_is_left_follows_from_what_is_there(recipe, runs, how):
    remove, left = LEFT[how]
    remove(runs[0])
    assert state_of(recipe(), runs[0]).left == left


def test_a_run_that_was_never_begun_is_left_to_be_trained(recipe, tmp_path):
    assert state_of(recipe(), tmp_path / "plain" / "seed-0").left == "training"


def test_another_protocol_leaves_an_evaluation(recipe, runs):
    path = recipe("examples = 40", "examples = 30")
    assert state_of(path, runs[0]).left == "evaluation"


def test_a_recipe_that_says_the_same_in_other_words_is_the_runs_own(recipe, runs):
    own = runs[0] / "recipe.toml"
    text = own.read_text("utf-8")
    own.write_text("# mine\n" + text.replace("lr = 0.5", "lr = 5e-1"), "utf-8")
    assert state_of(recipe(), runs[0]).left == "nothing"


# what was changed by hand

CHANGES = {
    "training": ("epochs = 1", "epochs = 2", "training.epochs: 1 → 2"),
    "the size of a batch": ("batch_size = 256", "batch_size = 128", "training.batch_size: 256 → "),
    "the optimizer": ("lr = 0.5", "lr = 0.25", "optimizer.lr: 0.5 → 0.25"),
    "the network": ("width = 4", "width = 8", "model.width: 4 → 8"),
    "the data": ('type = "digits"', 'type = "digits"\nsize = 16', "data.size: 8 → 16"),
    "a threat": ("epsilon = 0.1", "epsilon = 0.2", "threats.pgd.epsilon: 0.1 → 0.2"),
    "the variant's name": ('name = "pgd-at"', 'name = "mine"', "variant: 'pgd-at' → 'mine'"),
    "the seed": ("seeds = [\n    0,\n]", "seeds = [4]", "seed: 0 → 4"),
}


def changed(run: Path, old: str, new: str) -> Path:
    own = run / "recipe.toml"
    text = own.read_text("utf-8")
    assert old in text
    own.write_text(text.replace(old, new, 1), "utf-8")
    return own


@pytest.mark.parametrize("protocol", ["the same protocol", "another protocol"])
@pytest.mark.parametrize("what", CHANGES)
def test_a_training_setting_that_was_changed_in_a_runs_own_recipe_is_told_by_name(
    recipe, train, runs, snapshot, what, protocol
):
    own = changed(runs[1], *CHANGES[what][:2])
    before = snapshot(runs[1])
    examples = 30 if protocol == "another protocol" else 40
    path = recipe("examples = 40", f"examples = {examples}")
    (told,) = train(path, only=("pgd-at",)).failed.values()
    with pytest.raises(RunFolderError) as refused:
        evaluate_run(runs[1], "cpu")
    (judged,) = evaluate_under(path, [runs[1]], device="cpu")
    assert str(told) == str(refused.value) == str(judged.error)
    assert told.message.startswith(f"the recipe was changed since the training: {CHANGES[what][2]}")
    assert told.where == str(own)
    (runs[1] / "failed.json").unlink()
    assert snapshot(runs[1]) == before


@pytest.mark.parametrize("mend", ["undone", "deleted", "overwritten"])
def test_the_mend_of_a_changed_recipe_trains_nothing_again(recipe, train, runs, mend):
    own, weights = runs[1] / "recipe.toml", (runs[1] / "model.safetensors").stat().st_mtime_ns
    whole = own.read_bytes()
    changed(runs[1], *CHANGES["training"][:2])
    assert "Or delete this recipe: `moat train`" in str(
        *train(recipe(), only=("pgd-at",)).failed.values()
    )
    if mend == "undone":
        own.write_bytes(whole)
    if mend == "deleted":
        own.unlink()
    assert not train(recipe(), only=("pgd-at",), overwrite=mend == "overwritten").failed
    assert own.read_bytes() == whole
    assert (runs[1] / "model.safetensors").stat().st_mtime_ns == weights
    evaluate_run(runs[1], "cpu")


def test_a_changed_recipe_of_an_unfinished_run_is_told_apart_from_a_changed_study(
    unfinished, train, results
):
    path, run = unfinished(), results / "study" / "plain" / "seed-0"
    own = changed(run, "lr = 0.5", "lr = 0.25")
    (told,) = train(path, only=("plain",)).failed.values()
    assert str(told) == (
        f"{own}: the recipe was changed since the training: optimizer.lr: 0.5 → "
        "0.25.\n  Undo the change, or train this run again with --overwrite."
    )
    changed(run, "lr = 0.25", "lr = 0.5")
    assert train(path, only=("plain",)).done == [run]


def test_a_setting_that_identifies_no_training_may_be_changed(recipe, train, runs):
    changed(runs[1], "log_every = 2", "log_every = 3")
    assert train(recipe(), only=("pgd-at",)).skipped == [runs[1]]
    evaluate_run(runs[1], "cpu")
