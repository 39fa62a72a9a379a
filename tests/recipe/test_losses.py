"""What a variant's objectives descend: names and tables, sweeps, identities, and refusals."""

import tomllib

import pytest

from moat.errors import RecipeError
from moat.recipe import plan_runs, read
from moat.recipe.resolved import resolved
from moat.recipe.resolved_text import resolved_toml
from moat.training import KL, MART, CrossEntropy, Margin

VARIANT = '\n[[variant]]\nname = "own"\nthreats = ["pgd", "flow"]\n'


def own(recipe, *lines, overrides=()):
    path = recipe(more=VARIANT + "\n".join(lines))
    return plan_runs(read(path, overrides), ["own"])


@pytest.mark.parametrize(
    ("said", "losses"),
    [
        ("losses = {}", {}),
        ('losses = "cross-entropy"', {}),
        ('losses = { natural = "cross-entropy", pgd = { type = "cross-entropy" } }', {}),
        ('losses = "margin"', dict.fromkeys(("natural", "pgd", "flow"), Margin())),
        ('losses = { type = "margin" }', dict.fromkeys(("natural", "pgd", "flow"), Margin())),
        ('losses = { flow = "kl", pgd = "mart" }', {"pgd": MART(), "flow": KL()}),
        ('losses.flow = { type = "kl", partner = "pgd" }', {"flow": KL(partner="pgd")}),
        (
            'losses.natural = { type = "cross-entropy", label_smoothing = "1/10" }',
            {"natural": CrossEntropy(label_smoothing=0.1)},
        ),
    ],
)
def test_a_loss_is_a_name_or_a_table_for_all_objectives_or_for_each(recipe, said, losses):
    (plan,) = own(recipe, said)
    assert plan.losses == losses
    assert list(plan.losses) == [name for name in ("natural", "pgd", "flow") if name in losses]


def test_plain_cross_entropy_is_no_part_of_an_identity_and_every_other_loss_is(recipe):
    said = ["", 'losses = "cross-entropy"', 'losses = { pgd = "kl" }', 'losses = { pgd = "mart" }']
    plans = [own(recipe, one)[0] for one in said]
    assert "losses" not in plans[0].trains
    assert plans[0].train_hash == plans[1].train_hash
    assert len({plan.train_hash for plan in plans}) == 3
    assert plans[3].trains["losses"] == {
        "pgd": {"type": "mart", "partner": "natural", "weight": 5.0}
    }


def test_a_sweep_reaches_a_loss_and_its_keys(recipe):
    swept = 'sweep = { "losses.pgd.weight" = [1.0, 6.0] }'
    plans = own(recipe, 'losses.pgd = "mart"', swept)
    assert [plan.losses["pgd"].weight for plan in plans] == [1.0, 6.0]
    kinds = own(recipe, 'sweep = { "losses.pgd" = ["kl", "cross-entropy"] }')
    assert [plan.losses for plan in kinds] == [{"pgd": KL()}, {}]
    every = own(recipe, 'sweep = { "losses" = ["margin", "cross-entropy"] }')
    assert [len(plan.losses) for plan in every] == [3, 0]


def test_an_override_reaches_a_loss_that_is_a_name(recipe):
    said = ["variant.own.losses.pgd.weight=2.0"]
    assert own(recipe, 'losses.pgd = "mart"', overrides=said)[0].losses["pgd"].weight == 2.0
    said = ["variant.own.losses.label_smoothing=0.1"]
    (plan,) = own(recipe, 'losses = "cross-entropy"', overrides=said)
    assert plan.losses["flow"] == CrossEntropy(label_smoothing=0.1)


def test_what_is_shown_has_the_defaults_of_a_loss_and_is_a_recipe_of_the_same_runs(
    recipe, tmp_path
):
    path = recipe(more=VARIANT + 'losses = { pgd = "mart", natural = "margin" }')
    source = read(path)
    text = resolved_toml(resolved(source, plan_runs(source, ["own"]), ["own"]))
    (variant,) = tomllib.loads(text)["variant"]
    assert variant["losses"]["pgd"] == {"type": "mart", "partner": "natural", "weight": 5.0}
    shown = tmp_path / "shown.toml"
    shown.write_text(text, "utf-8")
    hashes = [[p.train_hash for p in plan_runs(read(one), ["own"])] for one in (path, shown)]
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("losses = 3", "variant.own.losses: should be a name or a table with a type, not 3."),
        ('losses = "klx"', "variant.own.losses: no loss is called 'klx'. Did you mean 'kl'?"),
        (
            "losses.pgd = 3",
            "variant.own.losses.pgd: a loss is a name or a table with a type, not 3",
        ),
        ("losses.pgd = {}", "variant.own.losses.pgd.type: a loss table names its type."),
        (
            'losses.pgd.type = "tradse"',
            "variant.own.losses.pgd.type: no loss is called 'tradse'.",
        ),
        (
            'losses.pgd = { type = "mart", wight = 6 }',
            "variant.own.losses.pgd.wight: unknown key. Did you mean 'weight'?",
        ),
        (
            'losses.pgd = { type = "mart", weight = -1.0 }',
            "variant.own.losses.pgd.weight: should be greater than or equal to 0, not -1.0.",
        ),
        (
            'losses.pgd = "logit-pairing"',
            "variant.own.losses.pgd.partner: this key is required and missing.",
        ),
        (
            'losses.pgb = "kl"',
            "variant.own.losses.pgb: there is a loss for 'pgb', which this variant does not train "
            "on. Did you mean 'pgd'?",
        ),
        (
            'losses = "kl"',
            "variant.own.losses: the loss of 'natural' looks at its own logits as those of a",
        ),
        (
            'losses.pgd = { type = "kl", partner = "rt" }',
            "variant.own.losses.pgd: the loss of 'pgd' looks at the logits of 'rt', which is not "
            "an objective.",
        ),
        (
            'sweep = { "losses.pgd" = ["klx"] }',
            "variant.own.sweep.\"losses.pgd\", variant.own.losses.pgd: no loss is called 'klx'.",
        ),
    ],
)
def test_a_loss_that_is_wrong_is_refused_where_it_is_said(recipe, said, told):
    with pytest.raises(RecipeError) as refused:
        own(recipe, said)
    assert told in str(refused.value)


def test_a_loss_that_may_be_negative_is_refused_under_a_rule_that_takes_logarithms(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        'extends = "base/digits"\n[[variant]]\nname = "a"\nthreats = ["pgd"]\n'
        'scalarizer = "famo"\nlosses = { pgd = "margin" }\n',
        "utf-8",
    )
    with pytest.raises(RecipeError) as refused:
        plan_runs(read(path))
    assert str(refused.value).startswith(
        f"{path}, variant.a.losses.pgd: the scalarizer 'famo' needs positive losses, but the loss "
        "of 'pgd', margin, may be negative."
    )
