"""Paths and starts in a recipe: their runs, identity and refusals."""

from itertools import pairwise

import pytest
import tomli_w

from moat.errors import RecipeError
from moat.recipe import plan_runs, read
from moat.recipe.checks import SWEPT as SWEPT_TABLES
from moat.recipe.own_recipe import kept_recipe
from moat.training import Constant, Cosine

RHO = 'path = { "scalarizer.rho" = [0.0, 0.3, 0.6] }'
VARIANT = """
[[variant]]
name = "path"
threats = ["pgd", "flow"]
scalarizer = { type = "two-moment", window = 3 }
"""
AVERAGE = VARIANT.replace('{ type = "two-moment", window = 3 }', '"average"')


@pytest.fixture
def planned(recipe):
    """Plan the runs of a variant with some more lines, and of the recipe with a piece replaced."""

    def plan(lines=RHO, old="", new="", variant=VARIANT):
        return plan_runs(read(recipe(old, new, more=variant + lines)), ["path"])

    return plan


SWEPT = {
    "rho": ('path = { "scalarizer.rho" = [0.0, 0.5] }', ["rho=0.0", "rho=0.5"]),
    "r": ('path = { "scalarizer.r" = [0.5, 1] }', ["r=0.5", "r=1"]),
    "radius": ('path = { "threats.pgd.epsilon" = ["8/255", 0.1] }', ["epsilon=0.1"]),
    "loss": ('path = { "losses.pgd" = ["cross-entropy", "margin"] }', ["pgd=margin"]),
    "in parallel": (
        'path = { "scalarizer.rho" = [0.0, 0.5], "threats.pgd.epsilon" = [0.1, 0.2] }',
        ["rho=0.0,epsilon=0.1", "rho=0.5,epsilon=0.2"],
    ),
    "beside a sweep": (
        'sweep = { "threats.pgd.epsilon" = [0.1, 0.2] }\npath = { "scalarizer.rho" = [0.0, 0.5] }',
        ["epsilon=0.1,rho=0.0", "epsilon=0.1,rho=0.5", "epsilon=0.2,rho=0.0"],
    ),
    "down": ('path = { "scalarizer.rho" = [0.9, 0.1] }', ["rho=0.9", "rho=0.1"]),
}


@pytest.mark.parametrize("case", SWEPT)
def test_any_swept_key_may_be_a_path(planned, case):
    lines, folders = SWEPT[case]
    plans = planned(lines, variant=VARIANT if "scalarizer" in lines else AVERAGE)
    found = [plan.path.parts[2] for plan in plans]
    assert [folder for folder in found if folder in folders] == folders
    for before, plan in pairwise(plans):
        if "epsilon=0.2,rho=0.0" in plan.path.parts:  # the next path's trunk
            assert plan.start is None
        else:
            assert plan.start.place == before.path
            assert plan.start.training == before.train_hash


def test_a_path_of_weights_goes_along_several_keys(planned):
    lines = (
        'path = { "scalarizer.preference" = '
        "[{natural=1.0,pgd=0.0,flow=0.0}, {natural=0.5,pgd=0.25,flow=0.25}] }"
    )
    rule = AVERAGE.replace("average", "weighted")
    trunk, leg = planned(lines, variant=rule)
    assert trunk.scalarizer.preference["natural"] == 1.0
    assert leg.scalarizer.preference["natural"] == 0.5


def test_each_seed_has_a_path_of_its_own(planned):
    plans = planned(RHO, "[data]", "seeds = [0, 1]\n\n[data]")
    assert [plan.seed for plan in plans] == [0, 1] * 3
    starts = {(plan.seed, plan.start.place.name) for plan in plans if plan.start}
    assert starts == {(0, "seed-0"), (1, "seed-1")}


LENGTHS = {
    "epochs": ("epochs = 1", "epochs = 9", {"epochs": 2}),
    "few epochs": ("epochs = 1", "epochs = 1", {"epochs": 1}),
    "passes": ("epochs = 1", "passes = 100", {"passes": 25.0}),
}


@pytest.mark.parametrize("case", LENGTHS)
def test_a_leg_has_a_quarter_of_the_trunk_s_length_unless_it_says_its_own(planned, case):
    old, new, expected = LENGTHS[case]
    trunk, *legs = planned(RHO, old, new)
    for leg in legs:
        told = leg.training.model_dump(include={"epochs", "passes"}, exclude_none=True)
        assert told == expected
    said = planned(RHO + "\nlegs = { passes = 60 }", old, new)
    assert said[0].training == trunk.training
    assert [(leg.training.passes, leg.training.epochs) for leg in said[1:]] == [(60, None)] * 2


def test_a_leg_has_a_rewarmed_schedule_and_threats_of_full_size(planned):
    trunk, leg, _ = planned(RHO, "log_every = 2", "warmup = 1")
    assert (trunk.schedule, trunk.training.warmup) == (Constant(), 1)
    assert (leg.schedule, leg.training.warmup) == (Cosine(warmup_ratio=0.1), 0)
    lines = RHO + '\nlegs = { lr = 0.1, optimizer = "kept", schedule = { type = "constant" } }'
    trunk, leg, _ = planned(lines)
    assert (trunk.optimizer.lr, leg.optimizer.lr) == (0.5, 0.1)
    assert (leg.schedule, leg.start.optimizer) == (Constant(), "kept")


def test_the_values_of_the_path_count_more_than_those_of_the_legs(planned):
    lines = 'path = { "training.epochs" = [4, 3, 2] }\nlegs = { epochs = 1 }'
    assert [plan.training.epochs for plan in planned(lines, variant=AVERAGE)] == [4, 3, 2]


def test_a_start_is_set_from_outside_by_its_path_or_its_keys(recipe, tmp_path):
    file = recipe(more=VARIANT.replace('type = "two-moment"', 'type = "two-moment", rho = 0.5'))
    sets = ["variant.path.start=a.pth", "variant.path.start.optimizer=kept"]
    (plan,) = plan_runs(read(file, sets), ["path"])
    assert (plan.start.place.name, plan.start.optimizer) == ("a.pth", "kept")
    assert plan.start.place.is_absolute()
    whole = plan_runs(read(file, ["start=b.pth"]))
    assert {one.start.place.name for one in whole} == {"b.pth"}


@pytest.mark.parametrize("swept", ['"training.epochs" = [8]', 'start = ["a.pth", "b.pth"]'])
def test_a_run_s_own_recipe_plans_the_same_run(planned, tmp_path, swept):
    for name in ("a", "b"):
        (tmp_path / f"{name}.pth").write_bytes(name.encode())
    lines = f"sweep = {{ {swept} }}\n" + RHO + "\nlegs = { lr = 0.1 }"
    for plan in planned(lines):
        folder = tmp_path / "results" / plan.path
        folder.mkdir(parents=True)
        document, _ = kept_recipe(plan.document, folder)
        own = folder / "recipe.toml"
        own.write_text(tomli_w.dumps(document), "utf-8")
        (again,) = plan_runs(read(own))
        assert again.trains == plan.trains
        assert (again.label, again.seed) == (plan.label, plan.seed)
        assert str(tmp_path) not in own.read_text("utf-8")


def test_a_change_of_the_trunk_changes_every_leg_and_a_change_of_a_leg_the_later_ones(planned):
    one = [plan.train_hash for plan in planned()]
    other = [plan.train_hash for plan in planned(RHO, "lr = 0.5", "lr = 0.4")]
    assert not {*one} & {*other}
    later = [plan.train_hash for plan in planned(RHO.replace("0.3", "0.4"))]
    assert (one[0] == later[0], one[1] == later[1], one[2] == later[2]) == (True, False, False)


def test_a_plan_without_a_start_has_none_in_its_identity(planned):
    trunk, leg, _ = planned()
    assert "start" not in trunk.trains
    assert trunk.trains["schedule"] == {"type": "constant"}
    assert leg.trains["start"] == {"training": trunk.train_hash, "optimizer": "fresh"}


REFUSED = {
    "unequal": (
        'path = { "scalarizer.rho" = [0.0, 0.3], "optimizer.lr" = [0.1] }',
        "the keys of a path go along together, and have different numbers of values: "
        "scalarizer.rho 2, optimizer.lr 1.",
    ),
    "twice": ('path = { "scalarizer.rho" = [0.3, 0.3] }', "the path comes twice to 0.3."),
    "there and back": (
        'path = { "scalarizer.rho" = [0.3, 0.6, 0.3] }',
        "the path comes twice to 0.3.",
    ),
    "both": (
        RHO + '\nsweep = { "scalarizer.rho" = [0.1] }',
        "'scalarizer.rho' is both swept and on the path.",
    ),
    "network": (
        'path = { "model.width" = [4, 8] }',
        "a path cannot set 'model.width': each leg continues with the weights of the one before.",
    ),
    "start": ('path = { start = ["a", "b"] }', "a path cannot set 'start'"),
    "unknown table": (
        'path = { "scalariser.rho" = [0.0, 0.3] }',
        "a path cannot set 'scalariser.rho'. Did you mean 'scalarizer'?",
    ),
    "unknown key": ('path = { "scalarizer.roh" = [0.0, 0.3] }', "Did you mean 'rho'?"),
    "no threat": (
        'path = { "threats.pdg.epsilon" = [0.1, 0.3] }',
        "the path sets the threat 'pdg', which no table defines. Did you mean 'pgd'?",
    ),
    "all threats": ('path = { "threats" = [["pgd"]] }', "cannot set 'threats' as a whole."),
    "both lengths": (
        'path = { "training.passes" = [9, 5], "training.epochs" = [2, 1] }',
        "set training.epochs and training.passes, and a training has one length.",
    ),
    "the state of another optimizer": (
        'path = { optimizer = [{ type = "adamw", lr = 0.1 }, { type = "sgd", lr = 0.1 }], '
        '"scalarizer.rho" = [0.1, 0.2] }\n'
        'legs = { optimizer = "kept" }',
        "a leg by 'sgd' cannot keep the state of 'adamw'",
    ),
    "the state of a conditioned network": (
        'start = { weights = "a", optimizer = "kept" }\nscalarizer = "average"\nconditioned = {}',
        "no optimizer's state belongs to it",
    ),
    "legs alone": ("legs = { epochs = 1 }", "legs has no effect without a path."),
    "unknown key of legs": (RHO + "\nlegs = { epoch = 1 }", "Did you mean 'epochs'?"),
    "optimizer of legs": (RHO + '\nlegs = { optimizer = "keep" }', "Did you mean 'kept'?"),
    "two lengths": (
        RHO + "\nlegs = { epochs = 1, passes = 3 }",
        "epochs = 1 and passes = 3 both set the length of a leg.",
    ),
    "empty": ('path = { "scalarizer.rho" = [] }', "at least"),
    "no list": ('path = { "scalarizer.rho" = 0.3 }', "should be a list"),
    "empty start": ('start = ""', "should be a path, and '' is empty"),
    "blank start in a table": ('start = { weights = " " }', "should be a path, and ' ' is empty"),
    "an empty start of a variant": ('start = ""', "Leave the key out to begin with new weights."),
    "placeholder": (
        'start = "runs/seed-{sed}"',
        "{sed} in the path of a start stands for nothing. Did you mean '{seed}'?",
    ),
    "placeholder in a sweep": ('sweep = { start = ["seed-{n}"] }', "{n} in the path of a start"),
    "table in a sweep of starts": (
        'sweep = { start = [{ weights = "a", optimizer = "kept" }] }',
        "a sweep of starts is a list of paths",
    ),
    "start of a number": ("start = 3", "should be a table"),
    "key of start": ('start = { weight = "a" }', "Did you mean 'weights'?"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_path_is_refused_with_its_place_and_the_mend(planned, case):
    lines, message = REFUSED[case]
    own = "scalarizer" in {line.partition(" = ")[0] for line in lines.splitlines()}
    variant = "\n".join([*VARIANT.splitlines()[:-1], ""]) if own else VARIANT
    with pytest.raises(RecipeError) as error:
        planned(lines, variant=variant)
    assert message in str(error.value)
    assert "study.toml" in error.value.where
    assert any(key in error.value.where for key in ("path", "start", "sweep", "legs"))


def test_the_refusal_of_a_path_s_key_lists_the_keys_that_a_path_may_set(planned):
    with pytest.raises(RecipeError) as error:
        planned('path = { strat = ["a", "b"] }')
    listed = error.value.hint.partition("one of ")[2].rstrip(".").split(", ")
    assert set(SWEPT_TABLES) - set(listed) == {"model", "start"}


def test_the_label_of_a_start_of_each_seed_s_own_run_has_no_placeholder(planned):
    plans = planned('sweep = { start = ["a/x/seed-{seed}", "w-{seed}.pth"] }', variant=AVERAGE)
    assert [plan.label for plan in plans] == ["path start=a-x", "path start=w-seed.pth"]


def test_a_leg_searches_all_steps_whatever_the_curriculum_of_the_trunk(recipe):
    steps = ["threats.pgd.steps=3", "threats.flow.train.steps=3", "training.curriculum=1"]
    plans = plan_runs(read(recipe(more=VARIANT + RHO), steps), ["path"])
    assert [plan.training.curriculum for plan in plans] == [1, None, None]


def test_a_key_inside_a_swept_table_changes_no_other_run(planned):
    tables = "[{ type = 'two-moment', rho = 0.1, window = 5 }, { type = 'two-moment', rho = 0.2 }]"
    plans = planned(
        f'sweep = {{ scalarizer = {tables} }}\npath = {{ "scalarizer.rho" = [0.3, 0.6] }}'
    )
    values = [plan.sweep["scalarizer"]["rho"] for plan in plans]
    assert values == [0.1, 0.1, 0.2, 0.2]
    assert [plan.scalarizer.rho for plan in plans] == [0.3, 0.6, 0.3, 0.6]
    assert [plan.start.place for plan in plans if plan.start] == [plans[0].path, plans[2].path]


def test_a_path_may_let_the_threats_grow(planned):
    plans = planned('path = { "training.reach" = [0.25, 0.5, 1] }', variant=AVERAGE)
    assert [plan.training.reach for plan in plans] == [0.25, 0.5, 1]
