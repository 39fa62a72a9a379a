import copy
import itertools
from pathlib import Path

import pytest

from moat import threats
from moat.errors import RecipeError
from moat.recipe import plan_runs, read, read_protocol
from moat.recipe.checks import SWEPT
from moat.threats import PGD, Flow

LIST = "shows each with its origin."


def plan(path: Path, *overrides: str, only: tuple[str, ...] = (), seeds: tuple[int, ...] = ()):
    return plan_runs(read(path, overrides), only, seeds)


def refusal(path: Path, *overrides: str, **picked) -> str:
    with pytest.raises(RecipeError) as refused:
        plan(path, *overrides, **picked)
    return str(refused.value)


@pytest.fixture
def local(tmp_path, monkeypatch):
    """Write a local plug-in file; what it declares is forgotten after the test."""
    monkeypatch.setattr(threats.registry, "_entries", copy.copy(threats.registry._entries))

    def write(text: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


GREY = """
from pydantic import PositiveFloat
from moat.threats import Threat, threat

@threat("{name}")
class Grey(Threat):
    amount: PositiveFloat = 0.5

    def perturb(self, model, x, y, *, generator=None):
        return (1 - self.amount) * x + self.amount / 2
"""


# what a recipe means


def test_runs_come_in_the_order_of_variants_sweep_values_and_seeds(recipe):
    plans = plan(recipe("[data]", "seeds = [3, 1]\n[data]"))
    assert [(p.variant, p.sweep.get("scalarizer.r"), p.seed) for p in plans] == [
        *(("plain", None, seed) for seed in (3, 1)),
        *(("pgd-at", None, seed) for seed in (3, 1)),
        *(("pareto", r, seed) for r in (0.5, 1.0) for seed in (3, 1)),
    ]


def test_a_sweep_of_two_keys_is_their_product(recipe):
    path = recipe("[0.5, 1.0]", '[0.5, 1.0], "optimizer.lr" = [0.1, 0.2, 0.3]')
    plans = plan(path, only=("pareto",))
    found = [(p.scalarizer.r, p.optimizer.lr) for p in plans]
    assert found == list(itertools.product((0.5, 1.0), (0.1, 0.2, 0.3)))


def test_a_sweep_reaches_any_table(recipe):
    keys = '"threats.pgd.train.epsilon" = [0.2], "data.size" = [9], "model.width" = [3]'
    (one,) = plan(recipe('"scalarizer.r" = [0.5, 1.0]', f'"scalarizer.r" = [1.0], {keys}'))[2:]
    assert one.threats["pgd"].epsilon == 0.2
    assert one.protocol.threats["pgd"].epsilon == 0.1
    assert (one.dataset.size, one.model.width) == (9, 3)


def test_a_whole_scalarizer_can_be_swept(recipe):
    path = recipe('"scalarizer.r" = [0.5, 1.0]', '"scalarizer" = ["max", "average"]')
    assert [p.scalarizer.name for p in plan(path, only=("pareto",))] == ["max", "average"]


def test_runs_are_picked_by_variant_and_seed(recipe):
    path = recipe("[data]", "seeds = [0, 1, 2]\n[data]")
    plans = plan(path, only=("pareto", "plain"), seeds=(2, 0))
    assert {p.variant for p in plans} == {"plain", "pareto"}
    assert {p.seed for p in plans} == {0, 2}


def test_train_and_evaluate_override_a_threat_each_for_its_purpose(recipe):
    path = recipe("train = { steps = 1 }", 'train = { steps = 7, epsilon = 0.2, start = "noise" }')
    (_, _, one, _) = plan(path)
    assert one.threats["flow"] == Flow(epsilon=0.2, step_size=0.01, steps=7, start="noise")
    assert one.protocol.threats["flow"] == Flow(epsilon=0.3, step_size=0.01, steps=1)
    assert one.protocol.threats["pgd"] == PGD(epsilon=0.1, step_size=0.05, steps=2)
    assert one.protocol.steps("pgd") == (1, 2)


def test_an_override_reaches_every_run(recipe):
    plans = plan(recipe(), "threats.pgd.train.epsilon=0.2", "training.epochs=9")
    assert [p.threats["pgd"].epsilon for p in plans if p.threats] == [0.2] * 3
    assert {p.training.epochs for p in plans} == {9}


def test_a_threat_without_evaluate_is_trained_against_and_not_evaluated(recipe):
    plans = plan(recipe("evaluate = { at_steps = [1] }", ""))
    assert list(plans[0].protocol.threats) == ["pgd"]
    assert list(plans[2].threats) == ["pgd", "flow"]


def test_one_threat_may_stand_under_two_labels(recipe):
    more = '\n[threats.strong]\ntype = "pgd"\nepsilon = 0.4\nstep_size = 0.1\nevaluate = {}\n'
    protocol = plan(recipe(more=more))[0].protocol
    assert (protocol.threats["strong"].epsilon, protocol.threats["pgd"].epsilon) == (0.4, 0.1)
    assert protocol.steps("strong") == (10,)


def test_the_fixture_of_a_variant_is_an_average_over_its_threats(recipe):
    assert plan(recipe())[1].scalarizer.name == "average"


# names that nothing has


@pytest.mark.parametrize(
    ("old", "new", "key", "kind", "near", "listing"),
    [
        (
            '"tiny-cnn"',
            '"tiny-cn"',
            "model.type",
            "model",
            "tiny-cnn",
            "preact-resnet18, resnet18, small-cnn, tiny-cnn (moat-robust)",
        ),
        (
            '"digits"',
            '"digit"',
            "data.type",
            "data set",
            "digits",
            "caltech256, cifar10, digits, fashion-mnist, image-folder, mnist (moat-robust)",
        ),
        (
            '"natural"',
            '"natral"',
            "variant.plain.scalarizer.type",
            "scalarizer",
            "natural",
            "aligned, average, batch-max, ",
        ),
        (
            "[threats.flow]",
            '[threats.flow]\ntype = "flwo"',
            "threats.flow.type",
            "threat",
            "flow",
            "autoattack, flow, integrated, msd, pgd, rt, rt-grid, stadv (moat-robust)",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(recipe, old, new, key, kind, near, listing):
    path = recipe(old, new)
    asked = new.split('"')[1]
    head, known, mend = refusal(path).splitlines()
    assert head == f"{path}, {key}: no {kind} is called {asked!r}. Did you mean {near!r}?"
    assert known.startswith(f"  known: {listing}")
    assert mend.endswith(LIST)


def test_a_label_that_names_no_threat_needs_a_type(recipe):
    path = recipe(more="\n[threats.mine]\nepsilon = 0.1\n")
    assert refusal(path).startswith(f"{path}, threats.mine.type: no threat is called 'mine'.")


def test_a_threat_that_no_table_defines_is_refused_with_the_nearest(recipe):
    path = recipe('threats = ["pgd"]', 'threats = ["pdg"]')
    assert refusal(path) == (
        f"{path}, variant.pgd-at.threats: the variant 'pgd-at' names the threat 'pdg', which no "
        "table defines. Did you mean 'pgd'?\n  defined: pgd, flow\n  Add a table [threats.pdg]."
    )


def test_a_variant_and_a_seed_that_the_study_does_not_have_are_refused(recipe):
    path = recipe()
    assert refusal(path, only=("plain", "parto")) == (
        f"{path}: the study has no variant 'parto'. Did you mean 'pareto'?\n"
        "  known: plain, pgd-at, pareto, pareto r=0.5, pareto r=1.0"
    )
    assert refusal(path, seeds=(7,)) == f"{path}: the study has no seed 7.\n  known: 0"


def test_an_unknown_threat_in_the_sum_is_refused(recipe):
    path = recipe("examples = 40", 'summed = ["pdg"]')
    assert refusal(path) == (
        f"{path}, evaluation.summed: the protocol evaluates no threat labelled 'pdg'. Did you mean "
        "'pgd'?\n  evaluated: pgd, flow"
    )


def test_a_solver_that_is_not_there_is_refused_with_the_nearest(recipe):
    path = recipe("window = 3", 'window = 3, solver = "cvxop"')
    head, known, _ = refusal(path).splitlines()
    assert head == (
        f"{path}, variant.pareto.scalarizer: no quadratic solver is called 'cvxop'. Did you mean "
        "'cvxopt'?"
    )
    assert "auto, exact, cvxopt" in known


def test_steps_beside_counts_would_say_nothing(recipe):
    path = recipe("{ at_steps = [1, 2] }", "{ at_steps = [1, 2], steps = 5 }")
    assert refusal(path).startswith(
        f"{path}, threats.pgd.evaluate.steps: steps has no effect beside at_steps, whose largest "
        f"count is the length of the search."
    )


# names given twice


def test_a_variant_is_named_once(recipe):
    path = recipe('name = "pareto"', 'name = "plain"')
    assert refusal(path) == (
        f"{path}, variant: the variant 'plain' is named twice.\n  Give one of them another name."
    )


@pytest.mark.parametrize(
    ("old", "new", "key", "what"),
    [
        ('["pgd"]', '["pgd", "pgd"]', "variant.pgd-at.threats", "threat 'pgd'"),
        ("[data]", "seeds = [1, 0, 1]\n[data]", "seeds", "seed 1"),
        ("[0.5, 1.0]", "[1, 1.0]", 'variant.pareto.sweep."scalarizer.r"', "value 1.0"),
        ("examples = 40", 'summed = ["pgd", "pgd"]', "evaluation.summed", "threat 'pgd'"),
    ],
)
def test_what_is_listed_twice_is_refused(recipe, old, new, key, what):
    path = recipe(old, new)
    assert refusal(path) == f"{path}, {key}: the {what} is named twice.\n  Leave one out."


@pytest.mark.parametrize(
    ("old", "new", "key", "what"),
    [
        ('name = "pareto"', 'name = "PGD-AT"', "variant", "variants 'pgd-at' and 'PGD-AT'"),
        ("[threats.flow]", "[threats.PGD]", "threats", "threats 'pgd' and 'PGD'"),
        (
            '"scalarizer.r" = [0.5, 1.0]',
            '"model.type" = ["python:a:b", "python:A:b"]',
            'variant.pareto.sweep."model.type"',
            "values 'python:a:b' and 'python:A:b'",
        ),
        (
            '"scalarizer.r" = [0.5, 1.0]',
            '"model.type" = ["python:\u00e9:b", "python:e\u0301:b"]',
            'variant.pareto.sweep."model.type"',
            "values 'python:\u00e9:b' and 'python:e\u0301:b'",
        ),
    ],
)
def test_names_that_are_one_folder_elsewhere_are_refused(recipe, old, new, key, what):
    path = recipe(old, new)
    assert refusal(path) == (
        f"{path}, {key}: the {what} differ by case alone and are one folder on other systems.\n"
        "  Give one of them another name."
    )


@pytest.mark.parametrize("name", ["nul", "CON", "aux.2", "com1", "dots..."])
@pytest.mark.parametrize(
    ("old", "new", "key"),
    [('name = "pareto"', 'name = "{}"', "variant.{}.name"), ("[threats.flow]", None, "threats.{}")],
)
def test_a_name_that_windows_keeps_to_itself_is_refused(recipe, old, new, key, name):
    path = recipe(old, (new or '[threats."{}"]').format(name))
    text = refusal(path)
    assert f"{name!r} cannot be the name of a folder on every system." in text
    assert "Give it another name" in text


def test_two_runs_never_share_a_folder(recipe):
    path = recipe(
        '"scalarizer.r" = [0.5, 1.0]', '"scalarizer.r" = [1.0], "model.x" = ["a/b", "a-b"]'
    )
    folder = Path("study", "pareto", "r=1.0,x=a-b", "seed-0")
    text = path.read_text("utf-8").replace('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Flatten"')
    path.write_text(text, "utf-8")
    assert refusal(path) == (
        f"{path}, variant: two runs would share the folder {str(folder)!r}: their sweep values "
        "differ by slashes, colons or blanks alone.\n  Leave one of them out."
    )


# what does not fit together


def test_no_threat_is_called_natural(recipe):
    path = recipe("[threats.flow]", '[threats.natural]\ntype = "flow"')
    assert refusal(path) == (
        f"{path}, threats.natural: 'natural' means the unmodified images and cannot be a threat's "
        f"label.\n  Give the table another label; `type` names the threat."
    )


@pytest.mark.parametrize("name", ["average", "max", "mgda"])
def test_a_scalarizer_of_threats_needs_threats(recipe, name):
    path = recipe('"natural"', f'"{name}"')
    assert refusal(path) == (
        f"{path}, variant.plain: the scalarizer {name!r} weighs threats, but this "
        'variant names none.\n  Give it threats = [...], or set scalarizer = "natural".'
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            'type = "weighted", preference = { pdg = 1.0, flow = 1 }',
            "preference names 'pdg', which is not an objective. Did you mean 'pgd'?\n"
            "  The objectives: natural, pgd, flow.",
        ),
        (
            'type = "tchebycheff", preference = { pgd = 1.0 }',
            "preference has no number for the objective 'flow'.\n"
            "  Write one, as in preference = { flow = 1.0 }; 0 leaves the objective out.",
        ),
        (
            'type = "smooth-tchebycheff", ideal = { rt = 1.0 }',
            "ideal names 'rt', which is not an objective.\n  The objectives: natural, pgd, flow.",
        ),
        (
            'type = "two-moment", target = "each", levels = { rt = 1.0 }',
            "levels names 'rt', which is not an objective.\n  The objectives: natural, pgd, flow.",
        ),
        (
            'type = "sampled", rule = { type = "weighted", preference = { pgd = 1 } }',
            "preference has no number for the objective 'flow'.\n"
            "  Write one, as in preference = { flow = 1.0 }; 0 leaves the objective out.",
        ),
    ],
)
def test_numbers_by_name_are_those_of_the_variant_s_objectives(recipe, table, said):
    path = recipe(
        more=f"""
[[variant]]
name = "mine"
threats = ["pgd", "flow"]
scalarizer = {{ {table} }}
"""
    )
    assert refusal(path) == f"{path}, variant.mine.scalarizer: {said}"


def test_a_weight_by_name_can_be_swept(recipe):
    path = recipe(
        more="""
[[variant]]
name = "mine"
threats = ["pgd", "flow"]
scalarizer = { type = "weighted", preference = { pgd = 1, flow = 1 } }
sweep = { "scalarizer.preference.flow" = [0, 0.5] }
"""
    )
    found = [run.scalarizer.preference for run in plan(path, only=["mine"])]
    assert found == [{"pgd": 1, "flow": 0}, {"pgd": 1, "flow": 0.5}]


def test_the_best_epoch_needs_held_out_examples(recipe):
    path = recipe("log_every = 2", 'keep = "best"')
    assert refusal(path) == (
        f"{path}, training.keep: the best epoch cannot be chosen without held-out examples.\n"
        '  Set data.validation, for example 0.1, or training.keep = "last".'
    )
    assert plan(path, "data.validation=0.1")[0].training.keep == "best"


@pytest.mark.parametrize(
    "key", ["variant.plain.threats", "seeds", "plugins", "scalariser.r", "model."]
)
def test_a_sweep_sets_keys_of_what_a_run_is_made_of(recipe, key):
    path = recipe('"scalarizer.r"', f'"{key}"')
    where = (
        f'{path}, variant.pareto.sweep."{key}"'
        if "." in key
        else f"{path}, variant.pareto.sweep.{key}"
    )
    head, mend = refusal(path).splitlines()
    near = {"scalariser.r": " Did you mean 'scalarizer'?", "model.": " Did you mean 'model'?"}
    assert head == f"{where}: a sweep cannot set {key!r}.{near.get(key, '')}"
    tables = ", ".join(sorted(SWEPT))
    assert mend == f'  Its keys are dotted, as in "scalarizer.r", and start with one of {tables}.'


def test_a_sweep_of_a_threat_that_no_table_defines_is_refused(recipe):
    path = recipe('"scalarizer.r"', '"threats.pdg.epsilon"')
    assert refusal(path).splitlines()[0] == (
        f"{path}, variant.pareto.sweep.\"threats.pdg.epsilon\": the sweep sets the threat 'pdg', "
        "which no table defines. Did you mean 'pgd'?"
    )


def test_a_threat_that_nothing_uses_is_looked_at_all_the_same(recipe):
    assert refusal(recipe(), "threats.pdg.train.epsilon=0.2").splitlines()[0] == (
        "--set threats.pdg.train.epsilon=0.2, threats.pdg.type: no threat is called 'pdg'. Did you "
        "mean 'pgd'?"
    )


def test_what_is_not_picked_is_looked_at_all_the_same(recipe):
    path = recipe("window = 3", "window = 0")
    message = "should be greater than 0, not 0."
    assert refusal(path, only=("plain",)) == f"{path}, variant.pareto.scalarizer.window: {message}"


# local plug-ins and models of one's own


def test_a_recipe_may_name_local_files(recipe, local):
    local(GREY.format(name="grey"))
    path = recipe(
        "[data]", 'plugins = ["mine.py"]\n[data]', more="\n[threats.grey]\nevaluate = {}\n"
    )
    protocol = plan(path)[0].protocol
    assert protocol.threats["grey"].amount == 0.5
    assert protocol.steps("grey") == (1,)


def test_a_threat_that_is_not_searched_by_ascent_takes_no_counts(recipe, local):
    local(GREY.format(name="grey"))
    more = "\n[threats.grey]\nevaluate = { at_steps = [1, 2] }\n"
    path = recipe("[data]", 'plugins = ["mine.py"]\n[data]', more=more)
    assert refusal(path) == (
        f"{path}, threats.grey.evaluate.at_steps: 'grey' is not searched by ascent, so it takes no "
        "at_steps."
    )


def test_a_local_file_that_is_missing_is_named(recipe, tmp_path):
    path = recipe("[data]", 'plugins = ["nosuch.py"]\n[data]')
    assert refusal(path) == (
        f"{path}, plugins.0: the plug-in file {str(tmp_path / 'nosuch.py')!r} does not exist or "
        f"is not a Python file.\n  Plug-in paths are read from the folder of the recipe that "
        f"names them."
    )


def test_a_local_file_that_fails_is_named_with_its_error(recipe, local):
    local("x = 1\n", "good.py")
    failing = local("1 / 0\n", "bad.py")
    path = recipe("[data]", 'plugins = ["good.py", "bad.py"]\n[data]')
    assert refusal(path).startswith(
        f"{path}, plugins.1: the plug-in file {str(failing)!r} failed: ZeroDivisionError: division "
        "by zero"
    )


def test_a_local_file_cannot_take_a_name_of_moat(recipe, local):
    local(GREY.format(name="pgd"))
    path = recipe("[data]", 'plugins = ["mine.py"]\n[data]')
    assert "the threat 'pgd' is declared twice: by moat-robust and by" in refusal(path)


def test_a_model_of_ones_own_takes_the_other_keys_of_its_table(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Linear"\nin_features = 3')
    model = plan(path)[0].model
    assert model.reference == "python:torch.nn:Linear"
    assert model.arguments == {"in_features": 3}


# torchvision's


SHUFFLENET = "torchvision:shufflenet_v2_x0_5"


def test_any_classifier_of_torchvisions_takes_the_keys_of_resnet18(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', f'"{SHUFFLENET}"\nmean = [0.5, 0.5, 0.5]')
    model = plan(path)[0].model
    assert (model.name, model.mean, model.weights) == (SHUFFLENET, (0.5, 0.5, 0.5), None)


def test_an_unknown_classifier_of_torchvisions_is_refused_with_the_nearest(recipe):
    path = recipe('"tiny-cnn"', '"torchvision:resnet_18"')
    assert refusal(path).startswith(
        f"{path}, model.type: torchvision has no classifier 'resnet_18'. Did you mean 'resnet18'?\n"
        "  The nearest of its "
    )


def test_weights_that_nobody_published_are_refused_before_anything_is_trained(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"resnet18"\nweights = "IMAGENET1K_V9"')
    assert refusal(path).startswith(
        f"{path}, model: torchvision publishes no weights 'IMAGENET1K_V9' for 'resnet18'. Did you "
        "mean 'IMAGENET1K_V1'?\n  known: IMAGENET1K_V1, DEFAULT\n"
    )


def test_an_unknown_key_of_a_classifier_of_torchvisions_is_refused(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', f'"{SHUFFLENET}"\nweight = "IMAGENET1K_V1"')
    assert refusal(path) == (
        f"{path}, model.weight: unknown key. Did you mean 'weights'?\n"
        "  known: mean, std, type, weights, weights_digest"
    )


# the recipes that come with moat


@pytest.mark.parametrize("name", ["digits_pareto", "mnist_pareto"])
def test_the_recipes_of_the_repository_hold_together(name):
    path = Path(__file__).parents[2] / "recipes" / f"{name}.toml"
    plans = plan(path)
    table_1 = {"natural", "pgd-at", "spatial-at", "max-at", "average-at", "pareto"}
    assert {p.variant for p in plans} == table_1
    assert len({p.train_hash for p in plans}) == len(plans)
    assert len([p for p in plans if p.variant == "pareto"]) >= 4


@pytest.mark.parametrize(
    ("sweep", "part"),
    [
        ('"model./x" = [1]', "/"),
        ('"model.a" = ["b\\u0000"]', "a=b\\x00"),
        ('"model.a" = ["b\\n"]', "a=b\\n"),
        ('"model.a" = ["' + "b" * 254 + '"]', "a=bbb"),
        ('"model.=a" = [1]', "=a=1"),
    ],
)
def test_a_swept_key_or_value_that_cannot_be_a_folder_is_refused(recipe, sweep, part):
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Flatten"')
    text = path.read_text("utf-8")
    plain = 'scalarizer = "natural"\n'
    path.write_text(text.replace(plain, f"{plain}sweep = {{ {sweep} }}\n"), "utf-8")
    assert f"a part of a run's folder, '{part}" in refusal(path)
    assert "cannot be a folder: it " in refusal(path)


@pytest.mark.parametrize("name", ["-study.toml", ".study.toml", "=study.toml"])
def test_a_study_is_called_by_a_name(recipe, name):
    assert "cannot be a folder: it " in refusal(recipe(name=name))


def test_a_variant_has_255_letters_and_a_threats_label_200(recipe):
    assert len(plan(recipe('"plain"', f'"{"a" * 255}"'))) == 4
    for old, new in (('"plain"', f'"{"a" * 256}"'), ("[threats.flow]", f"[threats.{'a' * 201}]")):
        assert "should have at most 2" in refusal(recipe(old, new))


def test_a_date_in_a_model_table_is_refused_before_anything_is_trained(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Flatten"\nsince = 1979-05-27')
    assert refusal(path) == f"{path}, model.since: moat reads neither dates nor times."


def test_a_few_letters_do_not_make_more_runs_than_can_be_planned(recipe):
    values = list(range(1, 31))
    axes = {f"training.{key}": values for key in ("epochs", "log_every", "pass_size")}
    more = "".join(f'"{key}" = {values}\n' for key in axes)
    path = recipe(more=f'\n[[variant]]\nname = "wide"\n[variant.sweep]\n{more}')
    with pytest.raises(RecipeError) as caught:
        plan_runs(read(path))
    assert "runs, and a study has at most 1,000." in str(caught.value)
    assert "divide it into several recipes" in str(caught.value)


def test_a_threat_that_needs_colours_is_refused_by_name_on_grey_data(tmp_path):
    (tmp_path / "hue.py").write_text(
        "from moat.threats import PGD, threat\n\n\n"
        "@threat('hue-like')\nclass HueLike(PGD):\n    needs_channels = 3\n"
    )
    table = "[threats.hue-like]\nepsilon = 0.1\nstep_size = 0.1\nevaluate = {}\n"
    variant = '[[variant]]\nname = "natural"\nscalarizer = "natural"\n'
    begun = 'plugins = ["hue.py"]\nmodel = { type = "tiny-cnn" }\ntraining = { epochs = 1 }\n'
    begun += 'optimizer = { type = "sgd", lr = 0.1 }\n'
    for data in ("digits", "mnist", "fashion-mnist"):
        (tmp_path / "r.toml").write_text(f'{begun}data = {{ type = "{data}" }}\n{table}{variant}')
        with pytest.raises(RecipeError, match=r"'hue-like' needs images of 3 channels") as caught:
            plan_runs(read(tmp_path / "r.toml"))
        assert caught.value.where.endswith("threats.hue-like")
        with pytest.raises(RecipeError, match="not 1"):
            read_protocol(tmp_path / "r.toml")
    (tmp_path / "r.toml").write_text(f'{begun}data = {{ type = "cifar10" }}\n{table}{variant}')
    assert len(plan_runs(read(tmp_path / "r.toml"))) == 1


@pytest.mark.parametrize(
    ("only", "labels"),
    [
        (["plain,pgd-at"], ["plain", "pgd-at"]),
        (["plain, pareto"], ["plain", "pareto r=0.5", "pareto r=1.0"]),
        (["pareto r=0.5"], ["pareto r=0.5"]),
        (["plain", "pareto r=1.0,pgd-at"], ["plain", "pgd-at", "pareto r=1.0"]),
    ],
)
def test_runs_are_picked_by_variant_or_label_one_by_one_or_with_commas(recipe, only, labels):
    assert [plan.label for plan in plan_runs(read(recipe()), only)] == labels


def test_the_folder_of_a_run_is_no_longer_than_a_path_may_be(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Identity"')
    swept = ", ".join(f'"model.key{number}" = ["{"v" * 240}"]' for number in range(14))
    path.write_text(
        path.read_text("utf-8") + f'\n[[variant]]\nname = "deep"\nscalarizer = "natural"\n'
        f"sweep = {{ {swept} }}\n",
        "utf-8",
    )
    assert "bytes, and the system allows about 3,000 beside the results folder" in refusal(path)
