import json

import pytest

from moat.dotted import ABSENT
from moat.report import compare_runs
from moat.report.side_by_side.words import comparison_notes, scores_title
from tests.report.side_by_side.conftest import PROTOCOL

SCORES = (60, 50, 40, 30)


def test_only_keys_that_differ_are_told_and_the_seed_apart(pair, change):
    for run, scalarizer, seed in zip(pair, ("max", "mgda"), (0, 3), strict=True):
        change(run, seed=seed, trains={"seed": seed, "scalarizer": {"type": scalarizer}, "lr": 1})
    comparison = compare_runs([run.path for run in pair])
    assert comparison.recipe == {"scalarizer.type": ("max", "mgda")}
    assert comparison.circumstances == {"seed": (0, 3)}


def test_version_and_machine_stand_apart_from_the_recipe(pair, change):
    change(pair[0], machine={"torch": "2.6", "device": "cpu"})
    change(pair[1], machine={"torch": "2.6", "device": "cuda"}, moat="0.2.0")
    comparison = compare_runs([run.path for run in pair])
    assert comparison.circumstances == {
        "moat": ("0.1.0", "0.2.0"),
        "machine.device": ("cpu", "cuda"),
    }


def test_a_machine_that_is_not_told_is_absent(pair, change):
    change(pair[1], machine={"device": "cuda"})
    comparison = compare_runs([run.path for run in pair])
    assert comparison.circumstances == {"machine.device": (ABSENT, "cuda")}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"data": {"type": "digits", "size": 8}}, "data.size is 16 and 8"),
        ({"protocol_hash": "other"}, "protocol_hash is 0123456789abcdef and other"),
    ],
)
def test_runs_that_were_judged_otherwise_have_their_recipes_compared_alone(
    tmp_path, write, other, said
):
    write(tmp_path / "a", "natural", 90, SCORES)
    write(tmp_path / "b", "max-at", 90, SCORES, **other)
    comparison = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert comparison.recipe == {"scalarizer.type": ("natural", "average")}
    assert (comparison.scores, comparison.withstood) == ((), ())
    assert str(comparison.refusal) == (
        "the scores are not compared: scores on different data or under different protocols "
        f"cannot be paired.\n  {tmp_path / 'a'} against {tmp_path / 'b'}: {said}\n  `moat "
        "evaluate RUN --protocol FILE` evaluates each run with the same protocol.\n  `moat "
        "report RESULTS --against RESULTS` sets the same runs under two protocols side by side."
    )


def test_runs_are_paired_on_the_examples_that_all_evaluated(pair, enter):
    arrays, _ = pair[1].load_evaluation()
    enter(pair[1], arrays["outcomes"][[4, 1, 3]], [4, 1, 3])
    comparison = compare_runs([run.path for run in pair])
    assert comparison.evaluated == (6, 3)
    assert [run.point.examples for run in comparison.runs] == [3, 3]
    found = {score.score: score.values for score in comparison.scores}
    assert found["natural"] == pytest.approx((200 / 3, 200 / 3))  # of 1, 3 and 4
    assert found["flow"] == pytest.approx((100 / 3, 200 / 3))
    (natural, *_) = comparison.withstood
    assert natural.ids.tolist() == [1, 3, 4]
    said = "on the 3 test examples that both evaluated, of 6 and 3"
    assert scores_title(comparison) == f"Scores in %, {said}"
    assert comparison_notes(comparison)[0] == f"Scores are taken {said}."


def test_protocols_that_choose_other_examples_are_one_protocol(tmp_path, write):
    for name, examples in (("a", None), ("b", 100), ("c", 40)):
        protocol = {**PROTOCOL, "examples": examples}
        numbers = {"examples": examples or 1000, "protocol_hash": name * 16}
        write(tmp_path / name, name, 90, (50, 40), protocol=protocol, **numbers)
    comparison = compare_runs([tmp_path / name for name in "abc"])
    assert comparison.refusal is None
    title = "Scores in %, on the 40 test examples that all evaluated, of 1,000, 100 and 40"
    assert scores_title(comparison) == title
    assert comparison.scores[0].values == pytest.approx((100, 100, 90))


def test_too_few_common_examples_are_counted_and_refused(pair, enter):
    arrays, _ = pair[1].load_evaluation()
    enter(pair[1], arrays["outcomes"], [5, 6, 7, 8, 9, 10])
    comparison = compare_runs([run.path for run in pair])
    assert comparison.scores == ()
    assert str(comparison.refusal) == (
        f"{pair[0].path} and {pair[1].path} were evaluated on different test examples: of 6 each, "
        "only 1 in common, too few to compare.\n  `moat evaluate RUN --protocol FILE` evaluates "
        "each run with the same protocol."
    )


def test_losses_turn_with_their_examples(tmp_path, write):
    for name in "ab":
        write(tmp_path / name, name, 90, SCORES, losses=True)
    comparison = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert comparison.refusal is None
    assert comparison.runs[0].outcomes.losses.shape == (1000, 8)


def test_a_model_that_moat_did_not_train_can_be_compared(pair, change):
    record = json.loads((pair[1].path / "run.json").read_text("utf-8"))
    record |= {"foreign": True, "trains": {"model": {"type": "python:nets:Net"}}}
    (pair[1].path / "run.json").write_text(json.dumps(record), "utf-8")
    comparison = compare_runs([run.path for run in pair])
    assert comparison.recipe == {
        "scalarizer": ({"type": "average"}, ABSENT),
        "model": (ABSENT, {"type": "python:nets:Net"}),
    }
