"""Which run of a study another one's images are found on: by the plan alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from moat.data import MNIST
from moat.study import plan
from moat.study.partners import partner_record, partners_of

SEEDS = "seeds = [3, 1]\n"


@pytest.fixture
def partners(recipe):
    """Return the partner of each run by name, in the order of a recipe with this text."""

    def choose(old: str = "", new: str = "", only: tuple[str, ...] = ()):
        whole = plan(recipe(old, new), only=only)
        chosen = partners_of(whole)
        return {
            f"{one.label}, seed {one.seed}": (other := chosen[one.path])
            and f"{other.label}, seed {other.seed}"
            for one in whole
        }

    return choose


def test_another_variants_run_with_the_most_threats_comes_first(partners):
    assert partners() == {
        "plain, seed 0": "pareto r=0.5, seed 0",
        "pgd-at, seed 0": "pareto r=0.5, seed 0",
        "pareto r=0.5, seed 0": "pgd-at, seed 0",
        "pareto r=1.0, seed 0": "pgd-at, seed 0",
    }


def test_a_variant_alone_has_its_own_runs_in_the_recipes_order(partners):
    assert partners(only=("pareto",)) == {
        "pareto r=0.5, seed 0": "pareto r=1.0, seed 0",
        "pareto r=1.0, seed 0": "pareto r=0.5, seed 0",
    }
    found = partners("[data]", f"{SEEDS}[data]", only=("plain",))
    assert found == {"plain, seed 3": "plain, seed 1", "plain, seed 1": "plain, seed 3"}


def test_every_seed_has_the_recipes_first_seed_of_another_variant(partners):
    found = partners("[data]", f"{SEEDS}[data]")
    assert {found[f"plain, seed {seed}"] for seed in (3, 1)} == {"pareto r=0.5, seed 3"}


def test_a_variant_that_is_added_and_has_no_more_threats_changes_no_partner(partners, recipe):
    before = partners()
    more = '\n[[variant]]\nname = "late"\nthreats = ["flow", "pgd"]\nscalarizer = "average"\n'
    whole = plan(recipe(more=more))
    after = partners_of(whole)
    for one in whole[:2]:
        other = after[one.path]
        assert before[f"{one.label}, seed {one.seed}"] == f"{other.label}, seed {other.seed}"


def test_a_run_alone_has_none_and_its_record_says_so(partners):
    assert partners(only=("plain",)) == {"plain, seed 0": None}
    assert partner_record(None) == {"partner": None}


def test_a_record_says_where_the_partner_lies_and_what_it_is_called(recipe):
    whole = plan(recipe())
    assert partner_record(partners_of(whole)[whole[0].path]) == {
        "partner": {"run": "pareto/r=0.5/seed-0", "label": "pareto r=0.5", "seed": 0}
    }


def test_a_run_on_other_test_data_is_no_partner(recipe):
    plain, pgd_at, *paretos = plan(recipe())
    others = [replace(one, dataset=MNIST(root=Path("nowhere"))) for one in paretos]
    chosen = partners_of([plain, pgd_at, *others])
    assert chosen[plain.path] is pgd_at
    assert chosen[pgd_at.path] is plain
    assert chosen[others[0].path] is others[1]
