"""A value of the wrong kind: the mend that is shown is one that works."""

import tomllib

import pytest

from moat.errors import RecipeError
from moat.recipe import plan_runs, read
from moat.recipe.mends import mend_of, toml_of

WRONG = {
    "a number for seeds": ("[data]", "seeds = 3\n[data]", "seeds = [3]"),
    "text for threats": ('threats = ["pgd"]', 'threats = "pgd"', 'threats = ["pgd"]'),
    "commas for threats": (
        'threats = ["pgd"]',
        'threats = "pgd, flow"',
        'threats = ["pgd", "flow"]',
    ),
    "a number for counts": ("at_steps = [1, 2]", "at_steps = 5", "at_steps = [5]"),
    "text for epochs": ("epochs = 1", 'epochs = "5"', "epochs = 5"),
    "a point in epochs": ("epochs = 1", "epochs = 5.0", "epochs = 5"),
    "text for a rate": ("lr = 0.5", 'lr = "1e-3"', "lr = 1e-3"),
    "text for true": ("lr = 0.5", 'lr = 0.5\nnesterov = "True"', "nesterov = true"),
    "one for true": ("lr = 0.5", "lr = 0.5\nnesterov = 0", "nesterov = false"),
    "a number for a name": ('name = "plain"', "name = 3", 'name = "3"'),
    "a number in a sweep": ("[0.5, 1.0]", "0.5", '"scalarizer.r" = [0.5]'),
    "a sweep without quotes": (
        '"scalarizer.r" = [0.5, 1.0]',
        "scalarizer.r = [0.5, 1.0]",
        '"scalarizer.r" = [0.5, 1.0]',
    ),
}


def refusal(path, *overrides: str) -> RecipeError:
    with pytest.raises(RecipeError) as refused:
        plan_runs(read(path, overrides))
    return refused.value


@pytest.mark.parametrize("case", WRONG)
def test_the_mend_is_shown_as_it_is_written(recipe, case):
    old, wrong, right = WRONG[case]
    assert right in refusal(recipe(old, wrong)).hint
    tomllib.loads(right)


@pytest.mark.parametrize(
    "override",
    [
        *("seeds=3", "training.epochs='5'", "training.epochs=5.0", "optimizer.nesterov=False"),
        *("variant.pgd-at.threats=pgd", "plugins=mine.py"),
    ],
)
def test_the_mend_of_what_is_set_can_be_typed(recipe, override):
    hint = refusal(recipe(), override).hint
    typed = hint.partition("--set '")[2].partition("'")[0]
    assert typed.partition("=")[0] == override.partition("=")[0]
    source = read(recipe(), [typed])
    if "plugins" not in override:
        assert plan_runs(source)


def test_one_table_for_several_is_written_in_double_brackets(recipe):
    path = recipe()
    head = path.read_text("utf-8").partition("[[variant]]")[0]
    path.write_text(head + '[variant]\nname = "plain"\nscalarizer = "natural"\n', "utf-8")
    assert refusal(path).hint == "Write [[variant]] in double brackets: there can be several."


@pytest.mark.parametrize("table", ["data", "model", "training", "evaluation"])
def test_several_tables_for_one_are_written_in_single_brackets(recipe, table):
    error = refusal(recipe(f"[{table}]", f"[[{table}]]"))
    assert error.hint == f"Write [{table}] in single brackets: there is only one."


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        *(("epochs", "training.epochs"), ("lr", "optimizer.lr"), ("batch", "training.batch_size")),
        *(("learning_rate", "optimizer.lr"), ("validation", "data.validation")),
        *(("width", "model.width"), ("epsilon", "threats.pgd.epsilon")),
        *(("examples", "evaluation.examples"), ("training.lr", "optimizer.lr")),
        *(("optimizer.epochs", "training.epochs"), ("threats.pgd.eps", "epsilon")),
        *(("threats.pgd.alpha", "step_size"), ("threats.flow.train.eps_step", "step_size")),
        *(("model.batch_size", "training.batch_size"), ("threats.pgd.iters", "steps")),
        *(("threats.flow.at_steps", "threats.flow.evaluate.at_steps"), ("seed", "seeds")),
        *(("variant.pareto.r", "variant.pareto.scalarizer.r"), ("dataset", "data")),
    ],
)
def test_a_key_of_another_table_or_library_is_named_where_it_belongs(recipe, key, meant):
    error = refusal(recipe(), f"{key}=1")
    assert error.message == f"unknown key. Did you mean {meant!r}?"


@pytest.mark.parametrize("key", ["extends", "code"])
def test_what_belongs_to_a_file_is_not_set(recipe, key):
    error = refusal(recipe(), f"{key}=base.toml")
    assert error.message == f"{key!r} can only be set in a recipe's file."
    assert error.hint


@pytest.mark.parametrize("key", ["threats.flow.evaluate", "evaluation", "schedule"])
def test_false_leaves_out_a_table_when_it_is_set_as_in_a_file(recipe, key):
    path = recipe("[data]", 'schedule = "cosine"\n[data]')
    held = read(path, [f"{key}=false"]).document
    for part in key.split(".")[:-1]:
        held = held[part]
    assert key.split(".")[-1] not in held
    assert plan_runs(read(path, [f"{key}=false"]))


@pytest.mark.parametrize(
    ("name", "label"), [("torchattacks:PGD", "pgd"), ("zoo:Big Cat", "big-cat"), ("zoo:", "mine")]
)
def test_a_threat_whose_name_is_no_label_gets_one_beside_its_type(recipe, name, label):
    refused = refusal(recipe("[threats.flow]", f'[threats."{name}"]'))
    assert refused.hint == (f'Label it, and name its type: [threats.{label}] with type = "{name}".')


@pytest.mark.parametrize("kind", ["greater_than", "literal_error", "nobody_knows"])
def test_of_other_faults_nothing_is_said(kind):
    assert mend_of(kind, 3, ("seeds",)) == ""


@pytest.mark.parametrize("value", [1, 0.5, True, "a \"b\" 'c'\n", [1, "x"], {"a b": [0.5]}])
def test_a_value_is_written_as_toml_reads_it(value):
    assert tomllib.loads(f"x = {toml_of(value)}")["x"] == value


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('conditioned = "film"', 'conditioned = { by = "film" }'),
        ("start = 3", 'start = { weights = "'),
        ("legs = 3", "[variant.legs] below that [[variant]]"),
        ("path = { scalarizer.rho = [0.1, 0.2] }", '"scalarizer.rho" = [0.1, 0.2]'),
    ],
)
def test_a_table_of_a_variant_is_written_in_it(recipe, wrong, right):
    assert right in refusal(recipe('name = "plain"', f'name = "plain"\n{wrong}')).hint


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_dotted_key_is_set_in_quotes(recipe, quote):
    key = f"variant.pgd-at.sweep.{quote}training.batch_size{quote}"
    plans = plan_runs(read(recipe(), [f"{key}=[8, 16]"]), ["pgd-at"])
    assert [plan.training.batch_size for plan in plans] == [8, 16]
