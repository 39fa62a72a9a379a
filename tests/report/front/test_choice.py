import json

import numpy as np
import pytest

from moat.errors import FrontError
from moat.report import make_fronts, write_front
from moat.report.front.notes import choice_notes
from moat.runs import RunFolder

# What each run scores on test and on held-out examples: natural, then pgd, flow, rt, integrated.
RUNS = {
    "plain": ((95, 10, 10, 10, 0), (94, 12, 10, 10, 0)),
    "middle": ((88, 50, 30, 30, 0), (90, 40, 30, 30, 0)),
    "tough": ((70, 60, 40, 40, 0), (75, 70, 40, 40, 0)),
    "beaten": ((99, 90, 50, 50, 0), (60, 30, 10, 10, 0)),  # only on test is it the best
}


def hold_out(folder, scores, hash_="0123456789abcdef", ids=range(5000, 5200)):
    """Keep a validation of two hundred examples with these scores beside a run's evaluation."""
    arrays, about = folder.load_evaluation()
    counts = [scores[0]] + [score for score in scores[1:4] for _ in range(2)] + [scores[4]]
    held = (np.arange(200)[:, None] < np.array(counts) * 2).astype(np.int8)
    stamp = {"outcomes": held, "ids": np.array(ids), "protocol_hash": np.array(hash_)}
    folder.save_evaluation(arrays, about.as_table(), validation={**arrays, **stamp})


@pytest.fixture
def results(tmp_path, write):
    for name, (test, validation) in RUNS.items():
        hold_out(write(tmp_path / "results" / name, name, test[0], test[1:]), validation)
    return tmp_path / "results"


def choice(results, **weights):
    (front,) = make_fronts(results, prefer=weights).fronts
    return front.choice


def refusal(results, **weights) -> str:
    with pytest.raises(FrontError) as refused:
        make_fronts(results, prefer=weights)
    return str(refused.value)


def test_the_weights_say_where_on_the_front_to_stand(results):
    assert choice(results, natural=1.0, pgd=0.0).row.name == "plain"
    assert choice(results, natural=0.0, pgd=1.0).row.name == "tough"
    assert choice(results, natural=0.55, pgd=0.45).row.name == "middle"
    assert choice(results, union=1.0).row.name in {"plain", "middle", "tough", "beaten"}


def test_it_is_made_on_held_out_examples_and_shown_on_test_examples(results):
    found = choice(results, natural=0.5, pgd=0.5)
    assert found.row.name != "beaten"
    assert found.examples == 200
    validation, test = RUNS[found.row.name][1], RUNS[found.row.name][0]
    assert found.validation == pytest.approx({"natural": validation[0], "pgd": validation[1]})
    assert found.test == pytest.approx({"natural": test[0], "pgd": test[1]})


def test_the_notes_and_the_json_name_the_run_and_its_folder(results, tmp_path):
    report = make_fronts(results, prefer={"natural": 1.0, "pgd": 0.0})
    (front,) = report.fronts
    (note,) = choice_notes(front)
    assert note == (
        f"Preferred (natural 1, pgd 0): plain, in {results / 'plain'}. Chosen by pseudo-weights "
        "(so would the achievement function) on 200 held-out examples: natural 94.0, pgd 12.0. "
        "On test examples: natural 95.0, pgd 10.0."
    )
    write_front(report, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "front.json").read_text("utf-8"))
    assert told["choice"]["folder"] == str(results / "plain")
    assert told["choice"]["test"] == {"natural": 95.0, "pgd": 10.0}
    assert told["choice"]["by_achievement"] is None


def test_where_the_achievement_function_takes_another_run_it_is_named(results):
    found = choice(results, natural=0.7, pgd=0.3)
    assert found.row.name == "middle"
    assert found.otherwise is None
    found = choice(results, natural=0.35, pgd=0.65)
    names = {found.row.name, found.otherwise.name if found.otherwise else found.row.name}
    assert names <= {"middle", "tough"}
    (front,) = make_fronts(results, prefer={"natural": 0.35, "pgd": 0.65}).fronts
    assert ("would take" in choice_notes(front)[0]) == (found.otherwise is not None)


def test_without_a_preference_nothing_is_chosen(results):
    (front,) = make_fronts(results).fronts
    assert front.choice is None
    assert choice_notes(front) == []


def test_a_run_without_held_out_scores_is_named_with_the_mend(results, write):
    write(results / "new", "new", 90, (10, 10, 10, 10))
    said = refusal(results, natural=1.0)
    assert said.startswith("prefer: new has no scores on held-out examples; test examples ")
    assert "`moat evaluate RUN` makes them" in said


def test_other_held_out_examples_are_refused(results):
    hold_out(RunFolder(results / "tough"), RUNS["tough"][1], ids=range(200))
    said = refusal(results, natural=1.0)
    assert (
        "tough held out other examples than " in said
        or "held out other examples than tough" in said
    )
    assert "data.split_seed" in said


def test_a_validation_of_another_protocol_is_not_trusted(results):
    hold_out(RunFolder(results / "tough"), RUNS["tough"][1], hash_="newer")
    said = refusal(results, natural=1.0)
    assert "the held-out scores of tough cannot be read: " in said
    assert "its validation is of protocol newer" in said
    assert f"`moat evaluate {results / 'tough'}` makes them anew." in said


def test_a_validation_that_makes_no_sense_is_not_trusted(results):
    folder = RunFolder(results / "tough")
    arrays, about = folder.load_evaluation()
    stamp = {"protocol_hash": np.array("0123456789abcdef")}
    folder.save_evaluation(
        arrays, about.as_table(), validation={"outcomes": arrays["outcomes"], **stamp}
    )
    assert "its validation: it has no array" in refusal(results, natural=1.0)


def test_a_validation_that_is_torn_says_what_makes_it_anew(results):
    (results / "tough" / "validation.npz").write_bytes(b"torn")
    assert "`moat evaluate" in refusal(results, natural=1.0)


@pytest.mark.parametrize("name", ["universal", "sacrificed"])
def test_gains_over_natural_runs_are_no_weights(results, name):
    said = refusal(results, **{name: 1.0})
    assert said.startswith(f"prefer: {name} is relative to natural runs, whose held-out ")
    assert "Weigh total or natural instead" in said


def test_an_unknown_score_is_refused_with_the_nearest(results):
    said = refusal(results, natural=0.5, pgdd=0.5)
    assert said.startswith("prefer: no score is called 'pgdd'. Did you mean 'pgd'?")
    assert "known: natural, total, union, pgd, flow, rt, integrated" in said
