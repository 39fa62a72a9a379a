import pytest

from moat.errors import DataError, InputError, ModelError
from moat.study import estimate_all, plan
from moat.study.step_cost import length_of_run
from moat.threats import Spent

SCALARIZERS = """
[[variant]]
name = "max"
threats = ["pgd", "flow"]
scalarizer = "max"

[[variant]]
name = "with natural"
threats = ["pgd", "flow"]
scalarizer = { type = "average", include_natural = true }

[[variant]]
name = "mgda"
threats = ["pgd", "flow"]
scalarizer = "mgda"

[[variant]]
name = "natural with threats"
threats = ["pgd", "flow"]
scalarizer = "natural"
"""


def test_passes_are_counted_as_each_scalarizer_plans_them(recipe):
    path = recipe("train = { steps = 1 }", "train = { steps = 5 }")
    more = SCALARIZERS.replace("with natural", "with-natural").replace(" with threats", "-threats")
    path.write_text(path.read_text("utf-8") + more, "utf-8")
    found = {e.plan.label: (str(e.search), str(e.descent)) for e in estimate_all(plan(path), "cpu")}
    assert found == {
        "plain": ("0", "1"),
        "pgd-at": ("1", "1"),
        "pareto r=0.5": ("6", "3"),
        "pareto r=1.0": ("6", "3"),
        "max": ("6", "3/1"),
        "with-natural": ("6", "3"),
        "mgda": ("6", "3"),
        "natural-threats": ("0", "1"),
    }


def test_an_evaluation_costs_its_largest_counts_on_the_examples_it_looks_at(recipe):
    (one,) = estimate_all(plan(recipe(), only=("plain",)), "cpu")
    assert (str(one.evaluation), one.test_examples) == ("6/3", 40)
    (one,) = estimate_all(plan(recipe("examples = 40", "seed = 0"), only=("plain",)), "cpu")
    assert one.test_examples == 359


def test_a_budget_gives_each_variant_its_epochs_at_equal_passes(recipe):
    found = estimate_all(plan(recipe(), overrides=["budget.passes_per_example=30"]), "cpu")
    for one in found:
        a_step = one.search.plus(one.descent).total
        a_batch = a_step * min(256, one.train_examples) / one.train_examples
        assert 30 - a_batch < one.passes <= 30
        assert one.length.exact_epochs == pytest.approx(one.passes / a_step)
    epochs = {one.plan.label: one.length.exact_epochs for one in found}
    assert epochs["plain"] == 15
    assert epochs["plain"] > epochs["pgd-at"] > epochs["pareto r=0.5"]


def test_a_budget_below_a_step_is_refused_with_its_key(recipe):
    with pytest.raises(InputError, match=r"study.toml, training.passes: 0.1 passes .* do not pay"):
        estimate_all(plan(recipe("epochs = 1", "passes = 0.1")), "cpu")


LEGS = {
    "of the legs": ("legs = { passes = 0.1 }", r"legs.passes: 0.1 passes", "Set legs.passes to"),
    "a quarter": ("", r"legs.passes: 5 passes", "Set legs.passes to"),
    "on the path": (
        'path = { "training.passes" = [20, 0.1] }',
        r'path."training.passes".*: 0.1 passes',
        "Set training.passes to",
    ),
}


@pytest.mark.parametrize("case", LEGS)
def test_too_few_passes_of_a_leg_are_refused_with_their_key(recipe, case):
    lines, message, mend = LEGS[case]
    if "path" not in lines:
        lines = f'path = {{ "threats.pgd.epsilon" = [0.1, 0.2] }}\n{lines}'
    more = f'\n[[variant]]\nname = "on"\nthreats = ["pgd"]\n{lines}'
    _, leg = plan(recipe("epochs = 1", "passes = 20", more=more), only=["on"])
    with pytest.raises(InputError, match=message) as error:
        length_of_run(leg, 1000, Spent(200, 200))
    assert error.value.hint.startswith(mend)


def test_what_is_held_out_is_not_trained_on(recipe):
    (one,) = estimate_all(plan(recipe(), only=("plain",), overrides=["data.validation=0.1"]), "cpu")
    assert one.train_examples == pytest.approx(0.9 * 1438, abs=10)


@pytest.mark.parametrize("budget", [(), ("budget.passes_per_example=30",)])
def test_passes_count_the_measurements_of_the_conflict_beside_a_budget(recipe, budget):
    every = (*budget, "training.conflict_every=1")
    (one,) = estimate_all(plan(recipe(), only=("pgd-at",), overrides=every), "cpu")
    (plain,) = estimate_all(plan(recipe(), only=("pgd-at",), overrides=budget), "cpu")
    measured = one.conflict.total * one.length.exact_epochs
    assert str(one.conflict) == "2"
    assert one.passes == pytest.approx(plain.passes + measured)
    assert one.length == plain.length


def test_a_longer_study_takes_longer(recipe):
    path = recipe("[0.5, 1.0]", '[0.5], "training.epochs" = [1, 100]')
    short, long = estimate_all(plan(path, only=("pareto",)), "cpu")
    assert 0 < short.seconds < long.seconds


def test_nothing_is_made(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = recipe()
    estimate_all(plan(path), "cpu")
    assert list(tmp_path.iterdir()) == [path]


# what a trial of a study finds out before it is trained


def test_without_data_passes_are_counted_and_what_is_missing_is_kept(recipe, tmp_path):
    path = recipe('"digits"', '"mnist"\nroot = "nowhere"')
    estimates = estimate_all(plan(path), "cpu")
    assert [str(one.search) for one in estimates] == ["0", "1", "2", "2"]
    assert [one.seconds for one in estimates] == [None] * 4
    whole = [one.plan.training.epochs * one.search.plus(one.descent).total for one in estimates]
    assert [one.passes for one in estimates] == whole
    budget = estimate_all(plan(path, overrides=["budget.passes_per_example=30"]), "cpu")
    assert [one.passes for one in budget] == [30] * 4
    assert len({str(one.missing) for one in estimates}) == 1
    where = f"{path}, data: no readable MNIST in {str(tmp_path / 'nowhere')!r}"
    assert str(estimates[0].missing).startswith(where)


def test_without_initial_weights_a_run_is_timed_as_it_was_drawn(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"torchvision:squeezenet1_1"\nweights = "gone.pth"')
    path.write_text(path.read_text("utf-8").replace('"digits"', '"digits"\nsize = 32'), "utf-8")
    (one,) = estimate_all(plan(path, only=("plain",), overrides=["training.pass_size=2"]), "cpu")
    assert one.seconds is not None
    assert str(one.missing).startswith(f"{path}, model.weights: the weights file")


def test_a_model_that_does_not_fit_is_found(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"small-cnn"')
    with pytest.raises(ModelError, match=r"study\.toml, model: the model 'small-cnn' needs"):
        estimate_all(plan(path), "cpu")


def test_a_model_of_ones_own_that_fails_is_found(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Linear"\nin_features = 3')
    with pytest.raises(ModelError, match="missing 1 required positional argument: 'out_features'"):
        estimate_all(plan(path), "cpu")
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Conv2d"\nin_channels = 3\n')
    path.write_text(
        path.read_text("utf-8").replace(
            "in_channels = 3", "in_channels = 3\nout_channels = 3\nkernel_size = 3"
        ),
        "utf-8",
    )
    with pytest.raises(ModelError) as refused:
        estimate_all(plan(path), "cpu")
    said = f"{path}, model: the model cannot be run on float32 images of the shape (8, 1, 8, 8) ("
    assert str(refused.value).startswith(f"{said}RuntimeError: Given groups=1")


def test_a_share_that_leaves_nothing_is_found(recipe):
    path = recipe("[model]", "validation = 0.999\n[model]")
    with pytest.raises(DataError, match=r"study\.toml, data: class 0 has 142 training example"):
        estimate_all(plan(path), "cpu")


def test_a_folder_of_images_that_is_missing_is_said_of_the_recipe(recipe, tmp_path):
    path = recipe('"digits"', f'"image-folder"\nfolder = "photos"\nroot = "{tmp_path}"')
    for estimate in estimate_all(plan(path), "cpu"):
        assert isinstance(estimate.missing, DataError)
        assert estimate.missing.where == f"{path}, data"
        assert estimate.missing.message == (
            f"{tmp_path / 'photos'}: the folder or archive does not exist."
        )
