import json
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from moat.digests import short_hash
from moat.recipe import RunPlan, plan_runs, read
from moat.recipe.plan import described
from moat.scalarizers import MGDA

SCHEDULES = ['type = "constant"', 'type = "cosine"', 'type = "multi-step"\nmilestones = [1, 2]']


def plans(path: Path, *overrides: str) -> list[RunPlan]:
    return plan_runs(read(path, overrides))


def hashes(path: Path, *overrides: str) -> tuple[list[str], list[str]]:
    found = plans(path, *overrides)
    return [p.train_hash for p in found], [p.protocol_hash for p in found]


# what identifies a run, and what its evaluation


@pytest.mark.parametrize(
    ("override", "trains", "evaluates"),
    [
        ("model.width=3", True, False),
        ("training.epochs=2", True, False),
        ("training.batch_size=64", True, False),
        ("training.precision=bf16-mixed", True, False),
        ("optimizer.lr=0.2", True, False),
        ("schedule={ type = 'cosine' }", True, False),
        ("seeds=[1]", True, False),
        ("data.validation=0.1", True, False),
        ("data.split_seed=1", True, False),
        ("data.size=9", True, False),
        ("evaluation.examples=41", False, True),
        ("evaluation.seed=1", False, True),
        ("evaluation.summed=['pgd']", False, True),
        ("threats.flow.evaluate.at_steps=[1, 2]", False, True),
        ("threats.flow.evaluate.epsilon=0.2", False, True),
        ("training.log_every=3", False, False),
        ("training.conflict_every=3", False, False),
        ("training.pass_size=7", False, False),
        ("training.allocator=system", False, False),
    ],
)
def test_what_trains_a_run_and_what_evaluates_it_are_told_apart(
    recipe, override, trains, evaluates
):
    before, after = hashes(recipe()), hashes(recipe(), override)
    assert all((a != b) == trains for a, b in zip(before[0], after[0], strict=True))
    assert all((a != b) == evaluates for a, b in zip(before[1], after[1], strict=True))


def test_hashes_from_before_a_key_was_there_stay(recipe):
    """The sample of the test split, and what MGDA combines."""
    (first, *_) = plans(recipe(), "evaluation.sample=first")
    assert first.protocol_hash == "5447f19d3e997910"  # as "the first 40" had it
    (drawn, *_) = plans(recipe())
    assert drawn.protocol_hash != first.protocol_hash
    assert drawn.document["evaluation"]["sample"] == "stratified"
    whole = [plans(recipe("examples = 40", key))[0].protocol_hash for key in ("", "sample='first'")]
    assert whole[0] == whole[1]
    assert described(MGDA(normalize="l2")) == {"type": "mgda", "normalize": "l2", "solver": "auto"}
    assert described(MGDA(combine="normalized"))["combine"] == "normalized"


def test_only_runs_that_train_against_a_threat_change_with_its_training(recipe):
    before = hashes(recipe())
    after = hashes(recipe(), "threats.flow.train.steps=2")
    changed = [a != b for a, b in zip(before[0], after[0], strict=True)]
    assert changed == [False, False, True, True]
    assert before[1] == after[1]


def test_where_data_lies_does_not_matter(recipe):
    path = recipe('"digits"', '"mnist"')
    assert hashes(path) == hashes(path, "data.root=elsewhere", "data.download=true")


def test_variants_sweep_values_and_seeds_that_are_added_change_no_run(recipe):
    before = {p.path: p.train_hash for p in plans(recipe())}
    more = '\n[[variant]]\nname = "more"\nthreats = ["flow"]\n'
    path = recipe("[0.5, 1.0]", "[0.1, 0.5, 1.0]", more=more)
    path.write_text("seeds = [1, 0]\n" + path.read_text("utf-8"), "utf-8")
    after = {p.path: p.train_hash for p in plans(path)}
    assert len(after) == 12
    assert before.items() <= after.items()


def test_every_run_of_a_study_has_a_folder_and_a_hash_of_its_own(recipe):
    found = plans(recipe("[data]", "seeds = [0, 1]\n[data]"))
    assert len({p.path for p in found}) == len({p.train_hash for p in found}) == len(found) == 8


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_what_trains_a_run_equals_what_a_record_gives_back(recipe, schedule):
    for run in plans(recipe("[threats.pgd]", f"[schedule]\n{schedule}\n[threats.pgd]")):
        assert json.loads(json.dumps(run.trains)) == run.trains
        assert json.loads(json.dumps(run.evaluates)) == run.evaluates


def test_a_model_of_ones_own_is_identified_by_its_name_its_arguments_and_its_file(recipe):
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Linear"\nin_features = 3')
    found = plans(path)[0].trains["model"]
    assert len(found.pop("source")) == 16
    assert found == {"type": "python:torch.nn:Linear", "in_features": 3}


def test_a_network_is_identified_by_what_its_weights_file_holds(recipe, tmp_path):
    for name in ("one", "copy", "other"):
        (tmp_path / f"{name}.pth").write_text("other" if name == "other" else "same", "utf-8")
    path = recipe('"tiny-cnn"\nwidth = 4', '"resnet18"\nweights = "one.pth"')
    one, copy, other = (
        plans(path, f"model.weights={tmp_path / name}.pth")[0] for name in ("one", "copy", "other")
    )
    assert one.trains == copy.trains
    assert one.train_hash != other.train_hash
    assert one.trains["model"]["weights"].startswith("file ")
    assert one.document["model"] == {
        "type": "resnet18",
        "weights": str(tmp_path / "one.pth"),
        "weights_digest": one.trains["model"]["weights"].removeprefix("file "),
    }


def test_a_network_that_names_no_file_is_identified_by_its_fields(recipe):
    fields = {"type": "tiny-cnn", "width": 4, "dropout": 0.0}
    assert plans(recipe())[0].trains["model"] == fields


# a run's own recipe


@pytest.mark.parametrize("overrides", [(), ("threats.pgd.train.epsilon=0.2", "seeds=[4, 5]")])
def test_the_recipe_of_a_run_is_a_recipe_of_that_run_alone(recipe, tmp_path, overrides):
    base = recipe(name="base/low.toml")
    top = tmp_path / "top.toml"
    two_keys = 'sweep = { "scalarizer.r" = [0.5, 1], "optimizer.lr" = [0.1] }'
    variants = f"""
    [[variant]]
    name = "pareto"
    threats = ["pgd"]
    scalarizer = "two-moment"
    {two_keys}
    [[variant]]
    name = "both"
    threats = ["pgd", "flow"]
    scalarizer = {{ type = "two-moment", rho = 0.5 }}
    """
    top.write_text(f'extends = "base/{base.name}"\n{variants}', "utf-8")
    for number, run in enumerate(plans(top, *overrides)):
        own = tmp_path / str(number) / "recipe.toml"
        own.parent.mkdir()
        own.write_text(tomli_w.dumps(run.document), "utf-8")
        (again,) = plans(own)
        assert (again.train_hash, again.protocol_hash) == (run.train_hash, run.protocol_hash)
        assert (again.variant, again.sweep, again.seed) == (run.variant, run.sweep, run.seed)
        assert again.document == run.document


def test_the_recipe_of_a_run_finds_its_data_from_anywhere(recipe, tmp_path):
    path = recipe('"digits"', '"mnist"\nroot = "files"', name="sub/r.toml")
    document = plans(path)[0].document
    assert document["data"]["root"] == str(tmp_path / "sub" / "files")


# its name and its folder


def test_a_run_is_called_by_its_variant_and_its_sweep_values(recipe):
    last = plans(recipe())[-1]
    assert last.label == "pareto r=1.0"
    assert last.path == Path("study", "pareto", "r=1.0", "seed-0")
    first = plans(recipe())[0]
    assert (first.label, first.path) == ("plain", Path("study", "plain", "seed-0"))


def test_two_keys_with_the_same_last_part_are_written_whole(recipe):
    keys = '"threats.pgd.train.epsilon" = [0.1], "threats.flow.train.epsilon" = [0.2]'
    run = plans(recipe('"scalarizer.r" = [0.5, 1.0]', f'"scalarizer.r" = [1.0], {keys}'))[-1]
    assert run.path.parts[2] == (
        "scalarizer.r=1.0,threats.pgd.train.epsilon=0.1,threats.flow.train.epsilon=0.2"
    )


def test_no_sweep_value_leads_out_of_its_folder(recipe):
    more = '"scalarizer.r" = [1.0], "model.path" = ["../../x y"]'
    path = recipe('"scalarizer.r" = [0.5, 1.0]', more)
    text = path.read_text("utf-8").replace('"tiny-cnn"\nwidth = 4', '"python:torch.nn:Flatten"')
    path.write_text(text, "utf-8")
    assert plans(path)[-1].path == Path("study", "pareto", "r=1.0,path=..-..-xy", "seed-0")


@given(table=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3)))
def test_a_hash_does_not_depend_on_the_order_of_keys(table):
    turned = dict(reversed(table.items()))
    assert short_hash(table) == short_hash(turned)
    assert len(short_hash(table)) == 16
    assert short_hash(table) != short_hash({**table, "one more": 1})
