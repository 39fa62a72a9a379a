import pytest

from moat.report.numbers import DASH
from moat.report.race.race import Race
from moat.report.race.sheets import verdict_sheet
from moat.report.race.words import choice_lines, floor_lines, pass_lines, plan_lines


def test_the_plan_is_said_in_words(raced):
    race = raced("average-at", "max-at", "pgd-at", margin=2, baseline="average-at")
    said = plan_lines(race)
    assert said[0] == (
        "Paired t with p < 0.0500 at each look, 5 % in the whole race, by Holm's procedure over "
        "the rules; looks after 3 to 3 seeds; margin 2; against average-at."
    )
    assert said[1] == (
        "Rules of one seed share start, order of the images, augmentation and held-out split."
    )
    exact = raced("average-at", "pgd-at", exact=True, score="sacrificed", margin=1)
    assert plan_lines(exact)[0].startswith("Sign flips, 5 % spent equally over the looks; ")
    assert plan_lines(exact)[1] == (
        "No look after 3 to 3 seeds can decide better or worse by sign flips: their p is 0.25 or "
        "more, and the level is 5 %. Within the margin is decided only if all differences are 0. "
        "Take 6 seeds or more for the last look: 3..6. Student's t, the test without --exact, has "
        "no such bound."
    )
    assert plan_lines(exact)[2].startswith("A difference above 0 is better")


def test_what_rules_do_not_share_is_said(raced):
    race = raced("average-at", "max-at")
    apart = Race(race.file, race.record.replace(shared=["augmentation"]), race.runs)
    assert plan_lines(apart)[-1] == (
        "Rules of one seed do not share start, order of the images and held-out split: their "
        "recipes differ there."
    )


def test_unequal_passes_are_a_warning_and_equal_ones_are_not(raced):
    race = raced("average-at", "pgd-at")
    (line,) = pass_lines(race)
    assert line.startswith("Unequal passes for each training image: average-at ")
    assert "training.passes" in line
    equal = race.record.replace(passes={"average-at": 100.0, "pgd-at": 100.5})
    assert pass_lines(Race(race.file, equal, race.runs)) == [
        "Equal passes for each training image: average-at 100, pgd-at 100.5."
    ]
    unknown = race.record.replace(passes={})
    assert pass_lines(Race(race.file, unknown, race.runs)) == []


@pytest.mark.parametrize(("margin", "warned"), [(0.0, False), (0.5, True), (50.0, False)])
def test_a_floor_above_half_the_margin_asks_for_test_images_not_seeds(raced, margin, warned):
    (line,) = floor_lines(raced("average-at", "pareto r=0.4", margin=margin))
    assert line.startswith("The verdicts hold for these 359 test images; ")
    assert ("take more test images, not more seeds" in line) == warned


def test_a_choice_is_said_with_its_candidates_and_its_seeds(raced):
    race = raced("average-at", "pareto r=0.4")
    record = race.record.replace(
        choice={"pareto": {"pareto r=0.1": 200.0, "pareto r=0.4": 221.25}}, choice_seeds=[0, 1]
    )
    assert choice_lines(Race(race.file, record, race.runs)) == [
        "Chosen of pareto on held-out images: pareto r=0.4 (pareto r=0.1 200.0, pareto r=0.4 221.2;"
        " seeds 0, 1, which are not raced)."
    ]


@pytest.mark.parametrize(("floor", "measured"), [(0.0, False), (0.004, False), (0.2, True)])
def test_a_floor_that_rounds_to_zero_is_not_measurable(raced, monkeypatch, floor, measured):
    monkeypatch.setattr(Race, "error_by_examples", lambda *_: floor)
    race = raced("average-at", "max-at")
    (line,) = floor_lines(race)
    assert ("is not measurable with these seeds" in line) != measured
    cells = [row[-2] for row in verdict_sheet(race).rows]
    assert cells[1] == ("±0.20" if measured else DASH)


@pytest.mark.parametrize(
    ("seeds", "exact", "warned"),
    [("2..3", False, True), ("3..3", False, False), ("2..3", True, False)],
)
def test_a_first_look_after_two_seeds_is_warned_of_where_t_decides(raced, seeds, exact, warned):
    lines = plan_lines(raced("average-at", "max-at", seeds=seeds, exact=exact, margin=1))
    assert any("Two seeds hardly show a spread" in line for line in lines) == warned


def test_two_rules_of_one_training_are_said(raced):
    race = raced("average-at", "max-at")
    same = race.record.replace(trainings=dict.fromkeys(race.record.trainings, "0" * 16))
    said = "average-at and max-at are the same training: "
    assert any(line.startswith(said) for line in plan_lines(Race(race.file, same, race.runs)))
    assert not any("same training" in line for line in plan_lines(race))
