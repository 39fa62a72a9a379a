import json
import shutil

import numpy as np
import pytest

from moat import outcomes as scoring
from moat.errors import FrontError, RunFolderError
from moat.report import outcomes_of, read_points
from moat.report.points import read_point
from moat.runs import RunFolder


@pytest.fixture
def run(tmp_path, write):
    return write(tmp_path / "results" / "max-at" / "seed-0", "max-at", 95.7, (65.2, 53.0, 51.5, 48))


def change_record(run, **changes):
    path = run.path / "run.json"
    record = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps({k: v for k, v in record.items() if v is not None}), "utf-8")


def change_arrays(run, **changes):
    arrays, scores = run.load_evaluation()
    arrays |= changes
    run.save_evaluation({k: v for k, v in arrays.items() if v is not None}, scores.as_table())


def refusal(run):
    with pytest.raises(RunFolderError) as caught:
        read_point(run, run.path)
    return str(caught.value)


def test_the_scores_of_a_run_are_those_of_its_stored_outcomes(run, tmp_path):
    point = read_point(run, tmp_path)
    outcomes = outcomes_of(run)
    assert point.natural == pytest.approx(95.7)
    assert point.scores == {t: scoring.robustness_score(outcomes, t) for t in outcomes.threats}
    assert point.total == scoring.total(outcomes, ["pgd", "flow", "rt"])
    assert point.union == scoring.union(outcomes, outcomes.threats) == pytest.approx(48)
    assert point.conditional["pgd"] == pytest.approx(100 * 652 / 957)
    assert (point.examples, point.where) == (1000, "results/max-at/seed-0")


def test_scores_in_json_text_are_never_believed(run):
    change_record(run, scores={"total": 300.0, "natural": 100.0})
    assert read_point(run, run.path).total == pytest.approx(65.2 + 53.0 + 51.5)


def test_the_classes_and_the_share_of_clamped_steps_are_those_of_the_record(tmp_path, write):
    bare = write(tmp_path / "a", "max-at", 90, (1, 2, 3, 4))
    told = write(tmp_path / "b", "pareto", 90, (1, 2, 3, 4), classes=10, clamped=0.25)
    points = [read_point(run, tmp_path) for run in (bare, told)]
    assert [(point.classes, point.out_of_reach) for point in points] == [(1000, None), (10, 25)]
    assert points[1].trains["scalarizer"]["type"] == "two-moment"


def test_a_record_that_does_not_say_how_the_training_went_is_read_all_the_same(run):
    change_record(run, training=None)
    assert read_point(run, run.path).training == {}


def test_every_finished_run_below_a_folder_is_read(study):
    points, skipped = read_points(study)
    assert len(points) == 14
    assert skipped == []


def test_a_run_folder_itself_may_be_named(run):
    (point,), _ = read_points(run.path)
    assert (point.variant, point.where) == ("max-at", ".")


def test_unfinished_runs_are_not_read(study):
    (study / "natural" / "plain" / "seed-0" / "run.json").unlink()
    points, skipped = read_points(study)
    assert (len(points), skipped) == (13, [])


def test_a_missing_folder_is_named_with_the_command_that_fills_it(tmp_path):
    with pytest.raises(FrontError) as caught:
        read_points(tmp_path / "nowhere")
    assert str(caught.value) == (
        f"{tmp_path / 'nowhere'}: the folder does not exist.\n"
        "  `moat train RECIPE` trains runs; name the folder they were written to."
    )


def test_a_folder_without_runs_is_named_with_the_command_that_fills_it(tmp_path):
    with pytest.raises(FrontError, match="this folder contains no finished run") as caught:
        read_points(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "`moat train RECIPE`" in str(caught.value)


def test_a_folder_whose_runs_are_all_unreadable_says_why_each_is(run, tmp_path):
    (run.path / "run.json").write_text("{")
    with pytest.raises(FrontError, match="none of the 1 runs in this folder") as caught:
        read_points(tmp_path)
    assert "run.json: the file is truncated or not moat's" in str(caught.value)


@pytest.mark.parametrize("name", ["run.json", "evaluation.json", "evaluation.npz"])
def test_a_truncated_file_is_named_and_its_run_is_skipped(study, name):
    path = study / "natural" / "plain" / "seed-0" / name
    path.write_bytes(path.read_bytes()[:20])
    points, skipped = read_points(study)
    assert len(points) == 13
    assert [message.splitlines()[0].split(" (")[0] for message in skipped] == [
        f"{path}: the file is truncated or not moat's"
    ]


def test_an_outcome_matrix_that_is_no_archive_is_named_and_its_run_is_skipped(study):
    path = study / "natural" / "plain" / "seed-0" / "evaluation.npz"
    path.write_bytes(b"not an archive")
    points, skipped = read_points(study)
    assert len(points) == 13
    assert f"{path}: the file is truncated or not moat's" in skipped[0]


def test_a_foreign_run_json_is_named_and_skipped(study):
    (study / "other").mkdir()
    (study / "other" / "run.json").write_text(json.dumps({"name": "somebody else's"}))
    points, skipped = read_points(study)
    assert len(points) == 14
    assert f"{study / 'other' / 'run.json'}: the file is truncated or not moat's" in skipped[0]


def test_a_run_without_an_evaluation_is_skipped_with_the_command_that_makes_it(study):
    folder = study / "natural" / "plain" / "seed-0"
    (folder / "evaluation.npz").unlink()
    points, skipped = read_points(study)
    assert len(points) == 13
    assert skipped == [
        f"{folder}: the run is finished but its evaluation is missing.\n"
        "  `moat evaluate` with this folder makes it."
    ]


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [("variant", 3, "str"), ("seed", "zero", "int"), ("data", ["digits"], "dict")],
)
def test_a_record_with_a_key_of_another_type_says_which(run, key, value, kind):
    change_record(run, **{key: value})
    message = f"its record is not moat's: {key} is {value!r} and should be of type {kind}."
    assert f"{run.path / 'run.json'}: {message}" in refusal(run)


def test_a_record_that_lacks_something_says_what(run):
    change_record(run, variant=None)
    message = "its record is not moat's: variant is missing."
    assert f"{run.path / 'run.json'}: {message}" in refusal(run)


def test_a_protocol_without_threats_says_so(run):
    change_record(run, protocol={"summed": []})
    assert "its record is not moat's: protocol.threats is missing." in refusal(run)


def test_outcomes_of_other_threats_than_the_protocol_names_are_not_trusted(run):
    protocol = run.read_record().protocol.as_table()
    threats = {name: table for name, table in protocol["threats"].items() if name != "rt"}
    change_record(run, protocol={**protocol, "threats": threats})
    assert (
        "its evaluation cannot be trusted: threats flow, integrated, pgd, rt were searched, its "
        "protocol names flow, integrated, pgd." in refusal(run)
    )


def test_a_sum_over_a_threat_that_was_not_searched_is_refused(run):
    protocol = run.read_record().protocol.as_table()
    change_record(run, protocol={**protocol, "summed": ["pgd", "stadv"]})
    assert "stadv is part of the sum but was not searched." in refusal(run)


def test_an_evaluation_of_another_protocol_than_the_record_is_not_trusted(run):
    arrays, _ = run.load_evaluation()
    run.save_evaluation(arrays, {"protocol_hash": "newer"})
    assert "it is of protocol newer, its record of 0123456789abcdef." in refusal(run)


def test_a_matrix_that_says_another_protocol_than_the_record_is_not_trusted(run):
    change_arrays(run, protocol_hash=np.array("0123456789abcdef"))
    assert read_point(run, run.path).protocol_hash == "0123456789abcdef"
    change_arrays(run, protocol_hash=np.array("newer"))
    assert "it is of protocol newer, its record of 0123456789abcdef." in refusal(run)


def test_outcomes_are_asked_for_under_a_protocol(run):
    change_arrays(run, protocol_hash=np.array("0123456789abcdef"))
    assert len(outcomes_of(run, "0123456789abcdef").ids) == 1000
    with pytest.raises(RunFolderError, match="it is of protocol 0123456789abcdef, its record of x"):
        outcomes_of(run, "x")


def test_a_missing_array_is_named(run):
    change_arrays(run, strengths=None)
    assert "its evaluation cannot be trusted: it has no array 'strengths'." in refusal(run)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ids": np.arange(5)}, "for 5 examples and 8 columns"),
        ({"strengths": np.arange(3)}, "is shorter than"),
        ({"outcomes": np.ones((1000, 8))}, "outcomes are of type float64 and ids of int64"),
        ({"outcomes": np.full((1000, 8), 7, dtype=np.int8)}, "an outcome is not 1, 0 or -1"),
        (
            {"outcomes": np.ones((0, 8), dtype=np.int8), "ids": np.arange(0)},
            "it contains no example",
        ),
    ],
)
def test_an_outcome_matrix_whose_shape_is_off_is_not_trusted(run, changes, why):
    change_arrays(run, **changes)
    message = refusal(run)
    assert f"{run.path}: its evaluation cannot be trusted: " in message
    assert why in message
    assert "`moat evaluate` with this folder makes it anew" in message


def test_a_threat_that_was_not_searched_to_the_end_is_named_with_its_run(study):
    run = RunFolder(study / "natural" / "plain" / "seed-0")
    arrays, _ = run.load_evaluation()
    arrays["outcomes"][3, 1] = -1
    change_arrays(run, outcomes=arrays["outcomes"])
    _, skipped = read_points(study)
    assert skipped[0].startswith(f"{run.path}: 'pgd' at strength 2 was not searched for every")


def test_a_run_whose_record_vanishes_while_it_is_read_is_refused(run):
    (run.path / "run.json").unlink()
    assert f"{run.path}: the folder has no finished run (no run.json)." in refusal(run)


def test_two_hundred_runs_are_read_once_each(tmp_path, write, monkeypatch):
    source = write(tmp_path / "all" / "r0", "pareto", 90, (1, 2, 3, 4)).path
    for number in range(1, 200):
        shutil.copytree(source, tmp_path / "all" / f"r{number}")
    calls = []
    load = RunFolder.load_evaluation
    monkeypatch.setattr(
        RunFolder, "load_evaluation", lambda run, **how: (calls.append(run), load(run, **how))[1]
    )
    points, _ = read_points(tmp_path / "all")
    assert len(points) == len(calls) == 200
