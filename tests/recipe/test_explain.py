"""Every way to write a recipe wrongly, and what is said of it: where, what, nearest, mend."""

import pytest

from moat.errors import RecipeError
from moat.recipe import plan_runs, read
from moat.scalarizers import registry

TOP = (
    "known: augmentation, data, evaluation, figure, model, notes, optimizer, plugins, published, "
    "schedule, seeds, start, tags, threats, training, variant"
)
FLOW = "known: epsilon, loss, search, start, step_size, steps"
PGD = "known: epsilon, evaluate, loss, norm, search, start, step_size, steps, train, type"
SGD = "known: lr, momentum, nesterov, type, weight_decay"
TWO_MOMENT = "known: ceiling, infeasible, levels, r, rho, solver, target, type, window"
COUNTS = "at_steps should be ascending whole numbers of at least 1, as in [5, 10], not"
FLOAT16 = (
    "16-mixed is refused: its gradient scaler would rescale combined gradients, and small input "
    "gradients underflow to sign 0; use bf16-mixed."
)
NAME = "should start with a letter or a digit and go on with these or with '.', '-' and '_', not"

# What is replaced in the small study, by what, the key that is named, what is said.
WRONG = {
    # an unknown key, in every table
    "top": ("[data]", "sedes = [1]\n[data]", "sedes", f"unknown key. Did you mean 'seeds'?\n{TOP}"),
    "table": (
        "[evaluation]",
        "[evaluaton]",
        "evaluaton",
        f"unknown key. Did you mean 'evaluation'?\n{TOP}",
    ),
    "data": (
        "[model]",
        "validaton = 0.1\n[model]",
        "data.validaton",
        "unknown key. Did you mean 'validation'?\nknown: memory, size, split_seed, "
        "train_examples, type, validation",
    ),
    "model": (
        "width = 4",
        "widht = 2",
        "model.widht",
        "unknown key. Did you mean 'width'?\nknown: dropout, type, width",
    ),
    "training": (
        "batch_size",
        "batchsize",
        "training.batchsize",
        "unknown key. Did you mean 'batch_size'?\n"
        "known: allocator, batch_size, compile, conflict_every, curriculum, epochs, friendly, "
        "keep, log_every, overfitting, pass_size, passes, precision, reach, warmup",
    ),
    "optimizer": (
        "lr = 0.5",
        "lr = 0.5\nmomentun = 0.9",
        "optimizer.momentun",
        f"unknown key. Did you mean 'momentum'?\n{SGD}",
    ),
    "another optimizer": (
        "lr = 0.5",
        "lr = 0.5\nbeta1 = 0.9",
        "optimizer.beta1",
        f"unknown key.\n{SGD}",
    ),
    "schedule": (
        "[threats.pgd]",
        '[schedule]\ntype = "multi-step"\nmilestone = [1]\n[threats.pgd]',
        "schedule.milestone",
        "unknown key. Did you mean 'milestones'?\nknown: gamma, milestones, type, warmup_ratio",
    ),
    "threat": (
        "epsilon = 0.1",
        "epsilom = 0.1",  # which is missing, too
        "threats.pgd.epsilom",
        f"unknown key. Did you mean 'epsilon'?\n{PGD}",
    ),
    "train": (
        "train = { steps = 1 }",
        "train = { stesp = 1 }",
        "threats.flow.train.stesp",
        f"unknown key. Did you mean 'steps'?\n{FLOW}",
    ),
    "evaluate": (
        "evaluate = { at_steps = [1] }",
        "evaluate = { at_step = [1] }",
        "threats.flow.evaluate.at_step",
        "unknown key. Did you mean 'at_steps'?\n"
        "known: at_epsilon, at_steps, epsilon, loss, restarts, search, start, step_size, steps",
    ),
    "at_steps in training": (
        "train = { steps = 1 }",
        "train = { at_steps = [1] }",
        "threats.flow.train.at_steps",
        f"unknown key. Did you mean 'threats.flow.evaluate.at_steps'?\n{FLOW}",
    ),
    "evaluation": (
        "examples = 40",
        "example = 40",
        "evaluation.example",
        "unknown key. Did you mean 'examples'?\n"
        "known: ensembles, examples, falls, memory, sample, seed, summed, union_only",
    ),
    "variant": (
        'name = "pgd-at"\nthreats',
        'name = "pgd-at"\nthreat',
        "variant.pgd-at.threat",
        "unknown key. Did you mean 'threats'?\n"
        "known: conditioned, legs, losses, name, path, scalarizer, start, sweep, threats",
    ),
    "scalarizer": (
        "window = 3",
        "windwo = 3",
        "variant.pareto.scalarizer.windwo",
        f"unknown key. Did you mean 'window'?\n{TWO_MOMENT}",
    ),
    "scalarizer without keys": (
        'scalarizer = "natural"',
        'scalarizer = { type = "natural", r = 1.0 }',
        "variant.plain.scalarizer.r",
        "unknown key.\nknown: type",
    ),
    "sweep": (
        '"scalarizer.r"',
        '"scalarizer.windwo"',
        'variant.pareto.sweep."scalarizer.windwo", variant.pareto.scalarizer.windwo',
        f"unknown key. Did you mean 'window'?\n{TWO_MOMENT}",
    ),
    # an unknown name
    "optimizer type": (
        '"sgd"',
        '"sdg"',
        "optimizer.type",
        "no optimizer is called 'sdg'. Did you mean 'sgd'?\nknown: sgd, adamw",
    ),
    "schedule type": (
        "[threats.pgd]",
        '[schedule]\ntype = "cosin"\n[threats.pgd]',
        "schedule.type",
        "no schedule is called 'cosin'. Did you mean 'cosine'?\n"
        "known: constant, multi-step, cosine",
    ),
    "keep": (
        "log_every = 2",
        'keep = "bets"',
        "training.keep",
        "should be 'last' or 'best', not 'bets'. Did you mean 'best'?",
    ),
    "loss": (
        "steps = 1\n",
        'loss = "cross-entorpy"\n',
        "threats.pgd.loss",
        "should be 'cross-entropy', 'margin', 'dlr', 'kl', 'targeted-cross-entropy', "
        "'targeted-margin' or 'targeted-dlr', not 'cross-entorpy'. Did you mean 'cross-entropy'?",
    ),
    "start": (
        "train = { steps = 1 }",
        'train = { start = "noisy" }',
        "threats.flow.train.start",
        "should be 'zero', 'noise', 'uniform' or 'wide', not 'noisy'. Did you mean 'noise'?",
    ),
    "16-mixed": ("log_every = 2", 'precision = "16-mixed"', "training.precision", FLOAT16),
    # a wrong type
    "text for a whole number": (
        "width = 4",
        'width = "two"',
        "model.width",
        "should be a valid integer, not 'two'.",
    ),
    "a boolean for a whole number": (
        "width = 4",
        "width = true",
        "model.width",
        "should be a valid integer, not true.",
    ),
    "a fraction for a whole number": (
        "window = 3",
        "window = 3.5",
        "variant.pareto.scalarizer.window",
        "should be a valid integer, not 3.5.",
    ),
    "a date for a number": (
        "lr = 0.5",
        "lr = 2024-01-01",
        "optimizer.lr",
        "should be a valid number, not 2024-01-01.",
    ),
    "text for a number": (
        "epsilon = 0.1",
        'epsilon = "0.1"',
        "threats.pgd.epsilon",
        "should be a valid number, not '0.1'.\nLeave the quotes out: epsilon = 0.1.",
    ),
    "nothing for a number": (
        "epsilon = 0.1",
        'epsilon = ""',
        "threats.pgd.epsilon",
        "should be a valid number, not ''.",
    ),
    "a number for text": (
        'type = "digits"',
        "type = 3",
        "data.type",
        'should be a valid string, not 3.\nWrite text in quotes: type = "3".',
    ),
    "text for a table": (
        "[evaluation]\nexamples = 40\n",
        'threats.flow.train = "short"\n',
        "threats.flow.threats",
        "unknown key. Did you mean 'threats'?\nknown: epsilon, evaluate, loss, search, start, "
        "step_size, steps, train, type",
    ),
    "a table in the wrong place": (
        '[optimizer]\ntype = "sgd"\nlr = 0.5\n',
        "[training.optimizer]\n",
        "training.optimizer",
        "unknown key. Did you mean 'optimizer'?\n"
        "known: allocator, batch_size, compile, conflict_every, curriculum, epochs, friendly, "
        "keep, log_every, overfitting, pass_size, passes, precision, reach, warmup",
    ),
    "false for evaluate": (
        "evaluate = { at_steps = [1] }",
        "evaluate = false",
        "threats.flow.evaluate",
        "should be a table, not false.\nfalse removes a table of the extended recipe, which lacks "
        "it.",
    ),
    "text for threats": (
        'threats = ["pgd"]',
        'threats = "pgd"',
        "variant.pgd-at.threats",
        "should be a list, not 'pgd'.\nWrite a list in brackets: threats = [\"pgd\"].",
    ),
    "a number for a scalarizer": (
        'scalarizer = "natural"',
        "scalarizer = 3",
        "variant.plain.scalarizer",
        "should be a name or a table with a type, not 3.",
    ),
    "a number for a sweep": (
        "[0.5, 1.0]",
        "0.5",
        'variant.pareto.sweep."scalarizer.r"',
        'should be a list, not 0.5.\nWrite a list in brackets: "scalarizer.r" = [0.5].',
    ),
    "text in a sweep": (
        "[0.5, 1.0]",
        '[0.5, "x"]',
        'variant.pareto.sweep."scalarizer.r", variant.pareto.scalarizer.r',
        "should be a valid number, not 'x'.",
    ),
    "a number for seeds": (
        "[data]",
        "seeds = 1\n[data]",
        "seeds",
        "should be a list, not 1.\nWrite a list in brackets: seeds = [1].",
    ),
    "text in seeds": (
        "[data]",
        'seeds = [0, "a"]\n[data]',
        "seeds.1",
        "should be a valid integer, not 'a'.",
    ),
    "text for plugins": (
        "[data]",
        'plugins = "mine.py"\n[data]',
        "plugins",
        "should be a list, not 'mine.py'.\nWrite a list in brackets: plugins = [\"mine.py\"].",
    ),
    "a number in plugins": (
        "[data]",
        "plugins = [3]\n[data]",
        "plugins.0",
        'should be a valid string, not 3.\nWrite text in quotes: "3".',
    ),
    "a number for a path": (
        '"digits"',
        '"mnist"\nroot = 3',
        "data.root",
        "should be the path of a file or folder, not 3.",
    ),
    # out of bounds
    "negative epsilon": (
        "epsilon = 0.1",
        "epsilon = -0.1",
        "threats.pgd.epsilon",
        "should be greater than 0, not -0.1.",
    ),
    "zero steps": (
        "steps = 1\n",
        "steps = 0\n",
        "threats.pgd.steps",
        "should be greater than 0, not 0.",
    ),
    "zero steps in training": (
        "train = { steps = 1 }",
        "train = { steps = 0 }",
        "threats.flow.train.steps",
        "should be greater than 0, not 0.",
    ),
    "zero epochs": (
        "epochs = 1",
        "epochs = 0",
        "training.epochs",
        "should be greater than 0, not 0.",
    ),
    "negative learning rate": (
        "lr = 0.5",
        "lr = -0.1",
        "optimizer.lr",
        "should be greater than 0, not -0.1.",
    ),
    "negative r": (
        "[0.5, 1.0]",
        "[0.5, -1.0]",
        'variant.pareto.sweep."scalarizer.r", variant.pareto.scalarizer.r',
        "should be greater than or equal to 0, not -1.0.",
    ),
    "all held out": (
        "[model]",
        "validation = 1.0\n[model]",
        "data.validation",
        "should be less than 1, not 1.0.",
    ),
    "negative seed": (
        "[data]",
        "seeds = [-1]\n[data]",
        "seeds.0",
        "should be greater than or equal to 0, not -1.",
    ),
    "no seed": ("[data]", "seeds = []\n[data]", "seeds", "should have at least one entry, not []."),
    "empty sweep": (
        "[0.5, 1.0]",
        "[]",
        'variant.pareto.sweep."scalarizer.r"',
        "should have at least one entry, not [].",
    ),
    "a name that leads elsewhere": (
        'name = "plain"',
        'name = "../plain"',
        'variant."../plain".name',
        f"{NAME} '../plain'.",
    ),
    "a label that is not a name": (
        "[threats.flow]",
        '[threats."my flow"]',
        'threats."my flow"',
        f"{NAME} 'my flow'.",
    ),
    "no counts": (
        "at_steps = [1] ",
        "at_steps = [] ",
        "threats.flow.evaluate.at_steps",
        f"{COUNTS} [].",
    ),
    "one count for counts": (
        "at_steps = [1] ",
        "at_steps = 1 ",
        "threats.flow.evaluate.at_steps",
        f"{COUNTS} 1.\nWrite a list in brackets: at_steps = [1].",
    ),
    "text in counts": (
        "at_steps = [1] ",
        'at_steps = ["1"] ',
        "threats.flow.evaluate.at_steps",
        f"{COUNTS} ['1'].",
    ),
    "a count of zero": (
        "at_steps = [1] ",
        "at_steps = [0, 1] ",
        "threats.flow.evaluate.at_steps",
        f"{COUNTS} [0, 1].",
    ),
    "counts that fall": (
        "at_steps = [1, 2] ",
        "at_steps = [2, 1] ",
        "threats.pgd.evaluate.at_steps",
        f"{COUNTS} [2, 1].",
    ),
    "a count twice": (
        "at_steps = [1, 2] ",
        "at_steps = [2, 2] ",
        "threats.pgd.evaluate.at_steps",
        f"{COUNTS} [2, 2].",
    ),
    # missing
    "no data": ('[data]\ntype = "digits"', "", "data", "this key is required and missing."),
    "no learning rate": ("lr = 0.5", "", "optimizer.lr", "this key is required and missing."),
    "no epsilon": ("epsilon = 0.1", "", "threats.pgd.epsilon", "this key is required and missing."),
    "no name": ('name = "pgd-at"', "", "variant.1.name", "this key is required and missing."),
    "no optimizer type": (
        'type = "sgd"',
        "",
        "optimizer.type",
        "this key is required and missing.\nknown: sgd, adamw",
    ),
    "no scalarizer type": (
        'type = "two-moment", ',
        "",
        "variant.pareto.scalarizer.type",
        f"the table of a scalarizer needs its type.\nknown: "
        f"{', '.join(one.name for one in registry)}",
    ),
    # what contradicts itself
    "r and rho": (
        "window = 3",
        "window = 3, rho = 0.5",
        "variant.pareto.scalarizer",
        "exactly one of r and rho is given, not both.",
    ),
    "neither r nor rho": (
        'sweep = { "scalarizer.r" = [0.5, 1.0] }',
        "",
        "variant.pareto.scalarizer",
        "exactly one of r and rho is given, not neither.",
    ),
}


def refusal(path, *overrides: str) -> str:
    with pytest.raises(RecipeError) as refused:
        plan_runs(read(path, overrides))
    return str(refused.value)


def said(where: object, message: str) -> str:
    return f"{where}: {message}".replace("\n", "\n  ")


@pytest.mark.parametrize("case", WRONG)
def test_it_says_where_and_what_and_the_nearest(recipe, case):
    old, new, key, message = WRONG[case]
    path = recipe(old, new)
    assert refusal(path) == said(f"{path}, {key}", message)


def test_what_is_wrong_in_a_base_is_said_of_the_base(recipe, tmp_path):
    base = recipe("epsilon = 0.1", "epsilon = -0.1", name="base.toml")
    top = tmp_path / "top.toml"
    top.write_text('extends = "base.toml"\n', "utf-8")
    message = "should be greater than 0, not -0.1."
    assert refusal(top) == said(f"{base}, threats.pgd.epsilon", message)
    top.write_text('extends = "base.toml"\nthreats.pgd.epsilon = -1.0\n', "utf-8")
    message = "should be greater than 0, not -1.0."
    assert refusal(top) == said(f"{top}, threats.pgd.epsilon", message)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("threats.pgd.train.epsilon=-0.2", "should be greater than 0, not -0.2."),
        ("threats.pgd.epsilon=big", "should be a valid number, not 'big'."),
        ("variant.pareto.scalarizer.window=0", "should be greater than 0, not 0."),
        ("training.epochs=", "should be a valid integer, not ''."),
        (
            "training=short",
            "should be a table, not 'short'.\n  Set one of its keys: --set training.KEY=VALUE.",
        ),
        ("variant={}", "should be a list, not a table."),
        ("seeds=[]", "should have at least one entry, not []."),
        ("variant.pgd-at.name=a/b", f"{NAME} 'a/b'."),
    ],
)
def test_what_is_set_wrongly_is_said_of_set(recipe, override, message):
    key = override.partition("=")[0]
    where = f"--set {override}, {key}" if "a/b" not in override else f"--set {override}, "
    assert refusal(recipe(), override).startswith(where)
    assert refusal(recipe(), override).endswith(message)


def test_a_sweep_value_that_is_wrong_is_said_of_the_sweep(recipe):
    path = recipe("[0.5, 1.0]", '[0.5], "optimizer.lr" = [0.1, -0.1]')
    where = f'{path}, variant.pareto.sweep."optimizer.lr", optimizer.lr'
    assert refusal(path) == said(where, "should be greater than 0, not -0.1.")


def test_a_key_of_a_scalarizer_given_by_name_is_named(recipe):
    path = recipe('{ type = "two-moment", window = 3 }', '"two-moment"')
    path.write_text(path.read_text("utf-8").replace("[0.5, 1.0]", "[-1]"), "utf-8")
    where = f'{path}, variant.pareto.sweep."scalarizer.r", variant.pareto.scalarizer.r'
    assert refusal(path) == said(where, "should be greater than or equal to 0, not -1.")


def test_a_table_that_is_made_by_set_is_said_of_set(recipe):
    assert refusal(recipe(), "threats.pgd.tain.epsilon=0.2") == said(
        "--set threats.pgd.tain.epsilon=0.2, threats.pgd.tain",
        f"unknown key. Did you mean 'train'?\n{PGD}",
    )


def test_a_label_that_pydantic_uses_for_its_own_does_no_harm(recipe):
    path = recipe("[threats.flow]", '[threats.str]\ntype = "flow"\nwrong = 1')
    path.write_text(path.read_text("utf-8").replace('"pgd", "flow"', '"pgd", "str"'), "utf-8")
    assert refusal(path).startswith(f"{path}, threats.str.wrong: unknown key.")
