import tomllib

import pytest

from moat.report.page.study_recipe import joined, runs_of, study_recipes
from moat.study import plan


def document(name, sweep=None, seed=0, **more):
    variant = {"name": name, "scalarizer": "average", **({"sweep": sweep} if sweep else {})}
    return {"seeds": [seed], "data": {"type": "digits", "size": 8}, "variant": [variant], **more}


def identities(plans):
    return sorted((str(one.path), one.train_hash, one.protocol_hash) for one in plans)


@pytest.mark.parametrize("seeds", ["", "--set"])
def test_the_joined_recipe_trains_the_very_runs_that_it_was_joined_from(recipe, tmp_path, seeds):
    path = recipe(
        more='[[variant]]\nname = "swept"\nthreats = ["pgd", "flow"]\n'
        'scalarizer = { type = "two-moment" }\n'
        'sweep = { "scalarizer.rho" = [0.7, 0.3], "optimizer.lr" = [0.01, 0.02] }\n'
    )
    plans = plan(path, overrides=["seeds=[3, 1]"] if seeds else [])
    (made,) = study_recipes([("again", one.document) for one in plans])
    assert made.notes == ()
    (tmp_path / "again.toml").write_text(made.text, "utf-8")
    found = identities(plan(tmp_path / "again.toml"))
    expected = [(p.replace(plans[0].study, "again", 1), *rest) for p, *rest in identities(plans)]
    assert found == sorted(expected)


def test_what_the_runs_do_not_agree_on_is_left_out_and_named():
    one = document("a", training={"epochs": 3, "batch_size": 9}, published={"source": "s"})
    other = document("b", training={"epochs": 4, "batch_size": 9}, local="b")
    (made,) = study_recipes([("study", one), ("study", other)])
    assert tomllib.loads(made.text)["training"] == {"batch_size": 9}
    assert made.notes == (
        "The recipes of its runs disagree on local, published, training.epochs, which is "
        "left out here; see each run's own recipe.",
    )


def test_runs_that_are_not_here_are_counted():
    documents = [document("a", {"r": [2.0]}), document("a", {"r": [0.5]}, seed=1)]
    recipe = joined(documents)
    assert recipe["variant"] == [{"name": "a", "scalarizer": "average", "sweep": {"r": [0.5, 2.0]}}]
    assert (recipe["seeds"], runs_of(recipe)) == ([0, 1], 4)
    (made,) = study_recipes([("study", one) for one in documents])
    assert made.notes == ("It describes 4 runs; 2 of them are here.",)


def test_words_and_numbers_of_a_sweep_are_ordered_without_being_compared():
    values = ["clamp", 3, True, 0.5]
    recipe = joined([document("a", {"k": [value]}) for value in values])
    assert recipe["variant"][0]["sweep"]["k"] == [0.5, 3, "clamp", True]


def test_each_study_has_its_own_recipe_and_what_is_no_recipe_is_left_out():
    broken = [None, {}, {"seeds": [0], "variant": []}, document("x") | {"seeds": 3}]
    broken += [
        document("x") | {"variant": ["x"]},
        document("x") | {"variant": [{"sweep": {"r": 1}}]},
    ]
    made = study_recipes([("a", document("x")), ("b", document("y")), *(("c", d) for d in broken)])
    assert [one.study for one in made] == ["a", "b"]
