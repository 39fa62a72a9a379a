"""Each oddity is seen where a recipe shows it, and in no recipe that is meant as it stands."""

from pathlib import Path

import pytest

from moat.data import Digits
from moat.oddities import LOOKS, StudyView, oddities_of
from moat.recipe import read_protocol
from moat.study import plan
from moat.study.looks import amounts_of

RECIPES = Path(__file__).parents[2] / "recipes"
STUDIES = sorted([*RECIPES.glob("*.toml"), *RECIPES.glob("smoke/*.toml")])
PGD = "epsilon = 0.1\nstep_size = 0.05\nsteps = 1\n"
"""As tests/small.toml trains and evaluates against pixel noise."""
HELD = ("[model]", "validation = 0.1\n[model]")
"""With which that study shows no oddity."""
PLAIN = 'name = "plain"\nscalarizer = "natural"'

MEANT = {
    "caltech_pareto": {"one flat colour"},  # Appendix E: RT's 10 steps of 0.1 within 1.0
    "caltech_representation": {"one flat colour"},
    "cifar10_strong_pgd": {"a radius of 0.031"},  # Table 2 trains beyond what it evaluates
    "digits_front_twofold": {"a sweep of one value"},  # names its passes, as digits_front
    "mnist_overfitting": {"a radius of 0.3"},  # Figure 6 sweeps the radius of training alone
    "caltech_pareto_smoke": {"a sweep of one value"},  # a cut of the whole study
    "cifar10_pareto_smoke": {"a sweep of one value"},
    "mnist_pareto_smoke": {"a sweep of one value"},
}


@pytest.fixture
def seen(recipe):
    """Return the oddities of the small study with something changed, as text."""

    def look(*changes, overrides=(), more="", data=True, **known):
        path = recipe(*HELD)
        text = path.read_text("utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text + more, "utf-8")
        plans = plan(path, overrides=overrides)
        loaded = {one.dataset: one.dataset.load() for one in plans} if data else {}
        amounts = amounts_of(plans, loaded)
        found = oddities_of(StudyView(plans[0].source, plans, amounts=amounts, **known))
        return [str(one).removeprefix(f"{path}, ") for one in found]

    return look


def test_a_study_that_is_meant_as_it_stands_shows_none(seen):
    assert seen() == []


VARIANT = '[[variant]]\nname = "more"\nthreats = ["pgd"]\n'
ODD = {
    "no evaluation": (
        [(PGD + "evaluate = { at_steps = [1, 2] }", PGD), ("evaluate = { at_steps = [1] }", "")],
        "threats: no threat has the key `evaluate`",
    ),
    "a radius of grey levels": (
        [(PGD, PGD.replace("0.1", "8"))],
        "threats.pgd.epsilon: the radius 8 bounds nothing: a pixel spans [0, 1], and every image "
        "lies in such a ball. 8 of 255 grey levels are 0.03137: give that.",
    ),
    "an l2 radius": (
        [(PGD, PGD.replace("0.1", '9\nnorm = "l2"'))],
        "threats.pgd.epsilon: the radius 9 bounds nothing",
    ),
    "an l1 radius": (
        [(PGD, PGD.replace("0.1", '70\nnorm = "l1"'))],
        "threats.pgd.epsilon: the radius 70 bounds nothing",
    ),
    "radii that are listed": (
        [("at_steps = [1, 2]", "at_epsilon = [0.1, 1.5]")],
        "threats.pgd.evaluate.at_epsilon: the radius 1.5 bounds nothing",
    ),
    "a radius of AutoAttack": (
        [
            (
                PGD,
                f'{PGD}[threats.aa]\ntype = "autoattack"\nepsilon = 8.0\nevaluate = {{}}\n'
                "[threats.unused]\ntype = 'pgd'\nepsilon = 0.1\nstep_size = 0.1\n",
            ),
            ("evaluate = { at_steps = [1, 2] }\n", "evaluate = {}\n"),
        ],
        "threats.aa.epsilon: the radius 8 bounds nothing",
    ),
    "a radius in pixels": (
        [("epsilon = 0.3\nstep_size = 0.01", "epsilon = 3\nstep_size = 0.01")],
        "threats.flow.epsilon: the radius 3 bounds nothing: in grid units the image is 2 wide.",
    ),
    "a shift beyond the image": (
        [
            (
                "[threats.flow]",
                '[threats.g]\ntype = "rt-grid"\npixels = 8\ndegrees = 360\n'
                "evaluate = {}\n[threats.flow]",
            )
        ],
        "threats.g.pixels: a shift of 8 pixels moves the whole image out: it has 8.",
    ),
    "degrees beyond a turn": (
        [
            (
                "[threats.flow]",
                '[threats.g]\ntype = "rt-grid"\ndegrees = 360\nevaluate = {}\n[threats.flow]',
            )
        ],
        "threats.g.degrees: 360 degrees to either side",
    ),
    "a step beyond the radius": (
        [(PGD, PGD.replace("0.05", "3"))],
        "threats.pgd.step_size: a step of 3 is longer than the radius, epsilon = 0.1",
    ),
    "a step of one block": (
        [
            (
                "[threats.flow]",
                '[threats.i]\ntype = "integrated"\nflow_epsilon = 0.1\n'
                "flow_step_size = 0.01\nrt_epsilon = 0.1\nrt_step_size = 0.2\nevaluate = {}\n"
                "[threats.flow]",
            )
        ],
        "threats.i.rt_step_size: a step of 0.2 is longer than the radius, rt_epsilon = 0.1",
    ),
    "a step of training alone": (
        [("train = { steps = 1 }", "train = { steps = 1, step_size = 0.4 }")],
        "threats.flow.train.step_size: a step of 0.4 is longer",
    ),
    "a grey image in every ball": (
        [(PGD, PGD.replace("0.1", "0.5").replace("0.05", "0.5"))],
        "threats.pgd.epsilon: at 0.5 the same grey image lies in the ball of every image",
    ),
    "one flat colour": (
        [("epsilon = 0.3\nstep_size = 0.01", "epsilon = 1.5\nstep_size = 1.5")],
        "threats.flow.epsilon: at 1.5 a warp can read one place everywhere",
    ),
    "fewer steps": (
        [("train = { steps = 1 }", "train = { steps = 7 }")],
        "threats.flow.evaluate: the evaluation searches 1 steps, and training 7",
    ),
    "a smaller radius": (
        [("train = { steps = 1 }", "train = { steps = 1, epsilon = 0.5 }")],
        "threats.flow.evaluate: the evaluation searches a radius of 0.3, and training one of 0.5.",
    ),
    "warm-up beyond the end": (
        [("log_every = 2", "log_every = 2\nwarmup = 10")],
        "training.warmup: threats grow over 10 epochs, and there are 1: they reach only 10% of",
    ),
    "warm-up to the end": (
        [("log_every = 2", "log_every = 2\nwarmup = 1")],
        "they reach at the last step their radius",
    ),
    "milestones after the end": (
        [("[threats.pgd]", '[schedule]\ntype = "multi-step"\nmilestones = [50]\n[threats.pgd]')],
        "schedule.milestones: [50] are not before the end of training, epoch 1: the learning rate "
        "never falls.",
    ),
    "a rate that grows": (
        [
            (
                "[threats.pgd]",
                '[schedule]\ntype = "multi-step"\nmilestones = [1]\ngamma = 10.0\n[threats.pgd]',
            )
        ],
        "schedule.gamma: a factor of 10: the learning rate grows at each milestone.",
    ),
    "a decay of everything": (
        [("lr = 0.5", "lr = 0.5\nweight_decay = 2.0")],
        "optimizer.weight_decay: lr * weight_decay is 1: each step removes every weight",
    ),
    "a batch beyond the data": (
        [("batch_size = 256", "batch_size = 5000")],
        "training.batch_size: a batch of 5,000, and 1,295 images to train on: an epoch is one step",
    ),
    "a rare log": (
        [("log_every = 2", "log_every = 50")],
        "training.log_every: the log has a line every 50 steps, and an epoch has 6",
    ),
    "a robust loss of a constant guess": (
        [("[0.5, 1.0]", "[0.5, 2.4]")],
        'variant.pareto.sweep."scalarizer.r": r = 2.4 nats is the level of the robust losses, but '
        r"a constant guess over 10 classes has 2.3",
    ),
    "an unused threat": (
        [("[threats.flow]", "[threats.rt]\nepsilon = 0.1\nstep_size = 0.1\n[threats.flow]")],
        "threats.rt: it is neither trained against nor evaluated.",
    ),
    "threats of a natural variant": (
        [(PLAIN, PLAIN + '\nthreats = ["pgd", "flow"]')],
        "variant.plain.threats: the scalarizer 'natural' searches no threat: the variant does not "
        "train against pgd, flow.",
    ),
    "the same training twice": (
        [("[[variant]]", VARIANT + "\n[[variant]]")],
        "variant.pgd-at: 'pgd-at' trains exactly what 'more' trains.",
    ),
    "a sweep of nothing": (
        [
            (
                'sweep = { "scalarizer.r"',
                'sweep = { "threats.pgd.evaluate.epsilon" = [0.1, 0.2], "scalarizer.r"',
            )
        ],
        "trains exactly what",
    ),
    "several protocols": (
        [
            (
                'sweep = { "scalarizer.r"',
                'sweep = { "threats.pgd.evaluate.epsilon" = [0.1, 0.2], "scalarizer.r"',
            )
        ],
        "variant: a sweep changes the evaluation",
    ),
    "a sweep of one value": (
        [("[0.5, 1.0]", "[0.5]")],
        'variant.pareto.sweep."scalarizer.r": a sweep of one value.',
    ),
    "nothing held out": (
        [("validation = 0.1\n", "")],
        "data.validation: without held-out examples",
    ),
    "one search under two labels": (
        [
            (
                "[threats.flow]",
                '[threats.again]\ntype = "pgd"\n'
                + PGD
                + "evaluate = { at_steps = [1, 2] }\n[threats.flow]",
            )
        ],
        "threats.again: its evaluation equals that of 'pgd'",
    ),
    "one threat of training under two labels": (
        [
            ("[threats.flow]", '[threats.again]\ntype = "pgd"\n' + PGD + "[threats.flow]"),
            ('threats = ["pgd"]', 'threats = ["pgd", "again"]'),
        ],
        "threats.again: 'pgd-at' trains against it and against 'pgd', which are the same",
    ),
    "summed twice": (
        [
            (
                "examples = 40",
                'examples = 40\nensembles = { all = ["pgd", "flow"] }\nsummed = ["all", "pgd"]',
            )
        ],
        "evaluation.summed: 'pgd' is summed twice: alone, and in the ensemble 'all'.",
    ),
    "more examples than there are": (
        [("examples = 40", "examples = 4000")],
        "evaluation.examples: 4,000 examples are requested, but the test set has 359.",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_seen(seen, name):
    changes, said = ODD[name]
    lines = seen(*changes)
    assert [line for line in lines if said in line]
    about = [line.partition(". ")[0] for line in lines]
    assert len(set(about)) == len(about)  # the same of one key is told once


def test_a_step_that_training_and_evaluation_share_is_told_once_with_a_mend_for_each(seen):
    shared = (PGD, PGD.replace("0.05", "3").replace("steps = 1\n", "train = { steps = 4 }\n"))
    (line,) = [one for one in seen(shared) if "longer than the radius" in one]
    assert line.startswith("threats.pgd.step_size: a step of 3 ")
    assert line.endswith("number of steps: 0.04 in training, 0.067 in evaluation.")
    (line,) = [one for one in seen((PGD, PGD.replace("0.05", "3"))) if "longer" in one]
    assert line.endswith("number of steps: 0.1 in training, 0.067 in evaluation.")
    alone = ("train = { steps = 1 }", "train = { steps = 1, step_size = 0.4 }")
    (line,) = [one for one in seen(alone) if "longer" in one]
    assert line.endswith("number of steps: 0.3 here.")


def test_the_values_of_a_sweep_that_ask_too_much_are_told_together(seen):
    (line,) = seen(("[0.5, 1.0]", "[0.5, 2.5, 3, 4, 5]"))
    assert line.startswith('variant.pareto.sweep."scalarizer.r": r = 2.5, 3, 4 and 1 more nats are')
    assert "has 2.3:" in line


def test_an_override_that_another_one_replaces_is_seen(seen):
    twice = ["training.epochs=3", "threats.pgd.steps=2", "training . epochs=1"]
    (line,) = seen(overrides=twice)
    assert line.startswith("--set training.epochs=3: a later --set sets the same key")
    (line,) = seen(overrides=["training.passes=30", "training.epochs=3"])
    assert line.startswith("--set training.passes=30: a later --set sets the same key or replaces")
    (line,) = seen(overrides=["optimizer.lr=0.1", 'optimizer={type="sgd",lr=0.2}'])
    assert line.startswith("--set optimizer.lr=0.1: a later --set")


def test_what_a_device_and_a_budget_show(seen):
    (line,) = seen(("[optimizer]", 'precision = "bf16-mixed"\n[optimizer]'), device="cpu")
    assert line.startswith("training.precision: bf16-mixed on a CPU may be many times slower")
    assert seen(("[optimizer]", 'precision = "bf16-mixed"\n[optimizer]'), device="cuda") == []
    (line,) = seen(seconds=200_000.0)
    assert "4 run(s) take about 2.3 days, one after another." in line
    assert seen(seconds=80_000.0) == []


@pytest.mark.parametrize("table", ["path", "sweep"])
def test_a_variant_may_begin_at_the_natural_objective(seen, table):
    rule = 'scalarizer = { type = "weighted", preference = { natural = 1, pgd = 1 } }'
    values = f'{table} = {{ "scalarizer.preference.pgd" = [0, 1] }}'
    assert not [line for line in seen(more=f"\n{VARIANT}{rule}\n{values}\n") if "searches" in line]


def test_a_base_may_define_more_threats_than_a_study_uses(recipe):
    base = recipe(*HELD)
    path = base.with_name("above.toml")
    path.write_text('extends = "study.toml"\n[[variant]]\nname = "n"\nscalarizer = "natural"\n')
    base.write_text(base.read_text() + "\n[threats.rt]\nepsilon = 0.1\nstep_size = 0.1\n")
    plans = plan(path)
    assert oddities_of(StudyView(plans[0].source, plans)) == []
    path.write_text(path.read_text() + "[threats.rt.train]\nsteps = 2\n")
    plans = plan(path)
    (line,) = oddities_of(StudyView(plans[0].source, plans))
    assert line.where == f"{path}, threats.rt"


def test_a_protocol_is_looked_at_without_a_study(recipe):
    path = recipe(PGD, PGD.replace("0.1", "8"))
    read = read_protocol(path)
    (line,) = oddities_of(StudyView(read.source, stated=read.protocol))
    assert str(line).startswith(f"{path}, threats.pgd.epsilon: the radius 8 bounds nothing")


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_recipes_are_meant_as_they_stand(path):
    plans = plan(path)
    found = [str(one) for one in oddities_of(StudyView(plans[0].source, plans, device="cpu"))]
    meant = MEANT.get(path.stem, set())
    assert [line for line in found if not any(said in line for said in meant)] == []
    assert all(any(said in line for line in found) for said in meant)


def test_every_look_is_a_sentence_of_its_own():
    assert all((look.__doc__ or "").startswith("Yield ") for look in LOOKS)
    assert len(set(LOOKS)) == len(LOOKS)


def test_amounts_are_those_of_each_share(recipe):
    plans = plan(recipe(*HELD))
    found = amounts_of(plans, {Digits(): Digits().load()})
    (one,) = set(found.values())
    assert (one.trained, one.held_out, one.tested) == (1295, 143, 359)
    assert (one.shape, one.classes) == ((1, 8, 8), 10)
    assert (
        amounts_of(
            plan(recipe("[model]", "validation = 0.999\n[model]")), {Digits(): Digits().load()}
        )
        == {}
    )


@pytest.mark.parametrize("key", ["split_seed", "train_examples"])
def test_a_leg_whose_held_out_images_its_trunk_was_trained_on_is_seen(seen, key):
    path = f'path = {{ "data.{key}" = [300, 301] }}'
    (line,) = [line for line in seen(more=f"\n{VARIANT}{path}\n") if "another split" in line]
    assert line.startswith(f"data: 'more {key}=301' starts from a run with another split")


def test_a_start_from_a_run_of_another_split_is_seen(seen, golden):
    run = golden / "digits_pareto" / "natural" / "seed-0"
    start = f'\n{VARIANT}start = "{run}"\n'
    assert not [line for line in seen(more=start) if "another split" in line]
    other = ("validation = 0.1\n", "validation = 0.1\nsplit_seed = 1\n")
    assert [line for line in seen(other, more=start) if "another split" in line]


def test_milestones_of_legs_are_named_where_they_are_said(seen):
    legs = 'path = { "optimizer.lr" = [0.2, 0.1] }\nlegs = { epochs = 1, schedule = { type = '
    legs += '"multi-step", milestones = [5], gamma = 0.1 } }'
    (line,) = [line for line in seen(more=f"\n{VARIANT}{legs}\n") if "before the end" in line]
    assert line.startswith("variant.more.legs.schedule.milestones")
