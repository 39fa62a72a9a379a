import shutil
from statistics import fmean

import numpy as np
import pytest

from moat.errors import FrontError, RunFolderError
from moat.fronts import hypervolume
from moat.races import nominal_level, t_probabilities
from moat.report import read_points
from moat.report.race.race import read_race
from moat.storage import read_json, replace, to_json


@pytest.mark.parametrize(
    ("score", "sign"),
    [("total", 1), ("natural", 1), ("union", 1), ("pgd", 1), ("universal", 1), ("sacrificed", -1)],
)
def test_the_score_of_a_rule_is_that_of_the_front_and_differences_are_paired_by_seed(
    raced, tmp_path, score, sign
):
    race = raced("average-at", "max-at", score=score)
    points = {(p.label, p.seed): p for p in read_points(tmp_path)[0]}
    natural = [points["natural", seed] for seed in range(3)]

    def of(label, seed):
        point, base = points[label, seed], natural[seed]
        if score == "universal":
            return point.total - base.total
        if score == "sacrificed":
            return base.natural - point.natural
        return point.scores[score] if score == "pgd" else getattr(point, score)

    expected = {name: [of(name, seed) for seed in range(3)] for name in ("average-at", "max-at")}
    for name, values in expected.items():
        assert race.scores[name] == pytest.approx(values)
    apart = np.subtract(expected["max-at"], expected["average-at"]) * sign
    pair = race.verdicts["max-at"]
    assert pair.difference == pytest.approx(apart.mean())
    assert pair.p == pytest.approx(float(t_probabilities(apart, 3)[0]))
    assert (pair.against, pair.seeds, race.is_over) == ("average-at", 3, True)


def test_a_hypervolume_is_that_of_all_points_of_a_variant_a_front_for_each_seed(raced, tmp_path):
    keys = {"score": "hypervolume", "objectives": ["natural", "total"], "reference": [80, 0]}
    race = raced("max-at", "pareto", **keys)
    points, _ = read_points(tmp_path)
    for seed in range(3):
        front = [(-p.natural, -p.total) for p in points if (p.variant, p.seed) == ("pareto", seed)]
        share = hypervolume(front, [-80, 0]) / (20 * 300)
        assert len(front) == 4
        assert race.scores["pareto"][seed] == pytest.approx(100 * share)
    assert 0 < race.floor < 10
    assert "hypervolume in natural accuracy and total score, % of the box" in race.score.title


def test_the_floor_is_the_error_of_the_mean_over_other_test_images(raced):
    race = raced("average-at", "pareto r=0.4")
    each = np.stack(
        [
            race.score.each(one) - race.score.each(other)
            for one, other in zip(race.runs["pareto r=0.4"], race.runs["average-at"], strict=True)
        ]
    )
    whole = each.mean(0).std(ddof=1) / each.shape[1] ** 0.5
    assert 0 < race.floor <= whole
    assert race.error_by_examples("pareto r=0.4", "average-at") == race.floor


def test_simulated_studies_of_stored_outcomes_err_as_often_as_the_level_says(raced):
    race = raced("average-at", "pareto r=0.7", margin=2)
    apart = np.stack(
        [
            race.score.each(one) - race.score.each(other)
            for one, other in zip(race.runs["average-at"], race.runs["pareto r=0.7"], strict=True)
        ]
    )
    draw = np.random.default_rng(9)
    studies, seeds, examples = 2000, 12, apart.shape[1]
    weights = draw.multinomial(examples, np.full(examples, 1 / examples), (studies, seeds))
    luck = (apart @ weights.reshape(-1, examples).T / examples).reshape(3, studies, seeds)
    luck = np.take_along_axis(luck, draw.integers(3, size=(1, studies, seeds)), 0)[0]
    luck = (luck - luck.mean()) * draw.choice([-1, 1], luck.shape)
    level = nominal_level(3, 12)
    wrong = (t_probabilities(luck, 3) < level).any(-1).mean()
    assert wrong == pytest.approx(0.05, abs=0.015)
    planted = t_probabilities(luck[:200] + 2 * luck.std(), 3) < level
    assert planted.any(-1).mean() > 0.98


def test_everything_is_recomputed_from_the_plan_and_the_run_folders(raced):
    race = raced("average-at", "max-at", "pgd-at", margin=3, baseline="average-at")
    again = read_race(race.file)
    assert again.looks == race.looks
    assert again.scores == race.scores
    assert repr(again) == repr(race)
    assert "max-at against average-at: " in repr(race)


def test_a_race_that_has_begun_and_made_no_look_is_read_as_far_as_it_is(raced, tmp_path):
    race = raced("average-at", "max-at")
    shutil.rmtree(tmp_path / "digits_pareto" / "max-at" / "seed-2")
    begun = read_race(race.file)
    assert (begun.looks, begun.is_over, begun.next_seeds) == ([], False, [0, 1, 2])
    assert fmean(begun.scores["max-at"]) > 0


def test_a_run_of_another_training_or_a_broken_plan_is_refused(raced):
    race = raced("average-at", "max-at")
    table = read_json(race.file)
    table["trainings"]["max-at"] = "0" * 16
    replace(race.file, to_json(table))
    with pytest.raises(RunFolderError, match="another training or protocol than the race"):
        read_race(race.file)
    replace(race.file, to_json({**table, "format": 9}))
    with pytest.raises(RunFolderError, match="it has format 9, and this moat reads format 1"):
        read_race(race.file)
    replace(race.file, to_json({**table, "margin": "two"}))
    with pytest.raises(RunFolderError, match="margin is 'two' and should be a number"):
        read_race(race.file)
    race.file.unlink()
    with pytest.raises(RunFolderError, match="no race was planned here"):
        read_race(race.file)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"score": "totl"}, "no score is called 'totl'. Did you mean 'total'?"),
        ({"objectives": ["natural", "pgd"]}, "objectives and a reference belong to a hypervolume"),
        ({"score": "hypervolume", "objectives": ["pgd"]}, "needs two objectives or more"),
        ({"score": "hypervolume", "objectives": ["pgd", "pgd"]}, "each named once"),
        (
            {"score": "hypervolume", "reference": [1.0]},
            "the reference needs a number for each of 2 objectives",
        ),
        ({"score": "hypervolume", "objectives": ["pgd", "fl"]}, "no score is called 'fl'"),
    ],
)
def test_a_score_that_no_race_can_have_is_refused(raced, keys, message):
    with pytest.raises(FrontError) as caught:
        raced("average-at", "max-at", **keys)
    assert message in caught.value.message
    assert caught.value.hint
