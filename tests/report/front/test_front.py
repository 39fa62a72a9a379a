from dataclasses import replace

import numpy as np
import pytest

from moat.errors import FrontError
from moat.report import make_fronts, read_points
from moat.report.front.front import front_of
from moat.report.groups import Group

SCORES = (30, 30, 30, 30)


def test_the_front_is_of_universal_score_and_sacrificed_natural_accuracy(study):
    (front,) = make_fronts(study).fronts
    assert [objective.name for objective in front.objectives] == [
        "universal score",
        "sacrificed natural accuracy",
    ]
    on = {one.name for one, member in zip(front.settings, front.members, strict=True) if member}
    off = {one.name for one in front.settings} - on
    assert off == {"max-at", "pgd-at", "spatial-at", "pareto r=1.5"}


def test_members_come_first_and_each_part_goes_down_by_universal_score(study):
    (front,) = make_fronts(study).fronts
    assert front.members.tolist() == sorted(front.members.tolist(), reverse=True)
    for part in (front.members, ~front.members):
        scores = front.values[part, 0]
        assert (np.diff(scores) <= 0).all()


def test_each_dominated_run_names_a_member_that_is_nowhere_worse_and_somewhere_better(study):
    (front,) = make_fronts(study).fronts
    for place, rival in enumerate(front.dominated_by):
        assert (rival is None) == front.members[place]
        if rival is not None:
            (x, y), (u, v) = front.values[place], front.values[rival]
            assert front.members[rival]
            assert u >= x
            assert v <= y
            assert (u, v) != (x, y)


def test_the_hypervolume_is_the_area_under_the_staircase_to_the_fixed_reference(tmp_path, write):
    write(tmp_path / "a", "natural", 98, (10, 0, 0, 0))
    write(tmp_path / "b", "max-at", 88, (60, 0, 0, 0))
    (front,) = make_fronts(tmp_path).fronts
    # The natural run stands on the reference's own edge; the other gains 50 and sacrifices 10.
    assert front.hypervolume == pytest.approx(50 * 90)
    assert [objective.reference for objective in front.objectives] == [0, 100]


def test_the_reference_point_does_not_depend_on_the_runs(study, tmp_path, write):
    before = make_fronts(study).fronts[0]
    write(study / "worse", "worse", 20, (1, 1, 1, 1))
    after = make_fronts(study).fronts[0]
    assert after.hypervolume == pytest.approx(before.hypervolume)


def test_without_a_natural_run_the_front_is_of_total_score_and_natural_accuracy(tmp_path, write):
    write(tmp_path / "a", "pgd-at", 90, (60, 10, 10, 0))
    write(tmp_path / "b", "max-at", 80, (30, 30, 30, 0))
    write(tmp_path / "c", "bad", 70, (10, 10, 10, 0))
    (front,) = make_fronts(tmp_path).fronts
    assert [objective.name for objective in front.objectives] == ["total score", "natural accuracy"]
    assert [one.name for one in front.settings] == ["max-at", "pgd-at", "bad"]
    assert front.members.tolist() == [True, True, False]
    assert front.hypervolume == pytest.approx(80 * 90 + 10 * 80)


def test_equal_runs_stand_on_the_front_together(tmp_path, write):
    for name in ("a", "b"):
        write(tmp_path / name, "max-at", 90, SCORES)
    (front,) = make_fronts(tmp_path).fronts
    assert front.members.all()


def test_a_point_that_is_not_finite_is_rejected_by_name(study):
    points, _ = read_points(study)
    broken = replace(points[2], total=float("nan"))
    with pytest.raises(FrontError, match=r"^mgda is not finite: \[nan, "):
        front_of(Group((*points[:2], broken, *points[3:])))


def test_the_messages_of_skipped_runs_are_kept(study):
    (study / "max-at" / "plain" / "seed-0" / "run.json").write_text("")
    report = make_fronts(study)
    assert len(report.fronts[0].settings) == 13
    assert len(report.skipped) == 1


def test_several_folders_make_one_front_and_a_run_named_twice_counts_once(tmp_path, write):
    write(tmp_path / "one" / "a", "a", 90, SCORES, study="one")
    write(tmp_path / "two" / "b", "b", 80, (60, 30, 30, 30), study="two")
    report = make_fronts(tmp_path / "one", tmp_path / "two", tmp_path / "two" / "b")
    (front,) = report.fronts
    assert {setting.name for setting in front.settings} == {"one: a", "two: b"}
    assert {setting.first.where for setting in front.settings} == {"one/a", "two/b"}
    assert {setting.first.folder for setting in front.settings} == {
        tmp_path / "one" / "a",
        tmp_path / "two" / "b",
    }


def test_a_folder_without_runs_among_several_is_named(tmp_path, write):
    write(tmp_path / "one" / "a", "a", 90, SCORES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FrontError, match="this folder contains no finished run") as caught:
        make_fronts(tmp_path / "one", tmp_path / "empty")
    assert str(tmp_path / "empty") in str(caught.value)


def test_a_run_that_is_not_finished_is_told_beside_the_others(study):
    (study / "max-at" / "plain" / "seed-0" / "run.json").unlink()
    (study / "max-at" / "plain" / "seed-0" / "recipe.toml").write_text("")
    (message,) = make_fronts(study).skipped
    assert message.startswith(str(study / "max-at" / "plain" / "seed-0"))
    assert message.endswith("the run is not finished. `moat train` with its recipe resumes it.")


def test_a_setting_of_several_seeds_stands_at_their_mean(tmp_path, write):
    for seed, pgd in enumerate((30, 50)):
        write(tmp_path / f"a{seed}", "a", 90 - seed, (pgd, 0, 0, 0), seed=seed)
    write(tmp_path / "b", "b", 80, (45, 0, 0, 0))
    (front,) = make_fronts(tmp_path, objectives=("natural", "pgd")).fronts
    places = {
        setting.name: values
        for setting, values in zip(front.settings, front.values.tolist(), strict=True)
    }
    assert places == {"a": pytest.approx([89.5, 40]), "b": pytest.approx([80, 45])}


def test_members_with_a_high_trade_off_are_named(tmp_path, write):
    corner = [(95, 5), (94, 20), (93, 60), (70, 62), (50, 63), (30, 64), (10, 65)]
    for number, (natural, pgd) in enumerate(corner):
        write(tmp_path / str(number), f"v{number}", natural, (pgd, 0, 0, 0))
    (front,) = make_fronts(tmp_path, objectives=("natural", "pgd")).fronts
    assert "v2" in {front.settings[place].name for place in front.knees}
    assert all(front.members[place] for place in front.knees)


def test_equal_counts_are_equal_scores_whatever_order_they_are_summed_in(tmp_path, write):
    # Three seeds each; both settings have 1,023 natural hits in all, by other counts.
    hits = {"natural": (340, 341, 342), "better": (343, 339, 341)}
    for variant, counts in hits.items():
        for seed, count in enumerate(counts):
            pgd = 10.0 if variant == "natural" else 60.0
            natural, scores = 100 * count / 359, (pgd, 20, 20, 0)
            folder = tmp_path / f"{variant}{seed}"
            write(folder, variant, natural, scores, seed=seed, examples=359)
    (front,) = make_fronts(tmp_path).fronts
    on = {one.name for one, member in zip(front.settings, front.members, strict=True) if member}
    assert on == {"better"}
    assert front.values[:, 1].tolist() == [0.0, 0.0]


def test_a_rival_without_a_natural_run_says_which_score_it_lacks(tmp_path, write):
    for name, variant in (("n", "natural"), ("a", "a")):
        write(tmp_path / "ours" / name, variant, 90, SCORES)
    write(tmp_path / "theirs" / "b", "b", 80, SCORES)
    with pytest.raises(FrontError, match="b has no universal score, an objective of this front"):
        make_fronts(tmp_path / "ours", against=tmp_path / "theirs")
