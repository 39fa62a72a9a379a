import json

import numpy as np
import pytest

from moat import outcomes as scoring
from moat.errors import MoatError, RunFolderError, UnsearchedError
from moat.report import outcomes_of, score_runs

SCORES = (60, 50, 40, 30)


def change_arrays(run, **changes):
    arrays, about = run.load_evaluation()
    run.save_evaluation(arrays | changes, about.as_table())


def refusal(kind, *arguments, **named):
    with pytest.raises(kind) as refused:
        score_runs(*arguments, **named)
    return str(refused.value)


def test_every_score_is_that_of_the_stored_outcomes(tmp_path, write):
    run = write(tmp_path / "a", "max-at", 90, SCORES)
    (scores,) = score_runs([run.path], ["pgd", "rt"])
    outcomes = outcomes_of(run)
    assert scores.union == scoring.union(outcomes, ["pgd", "rt"]) == pytest.approx(40)
    assert scores.point.union == scoring.union(outcomes, outcomes.threats) == pytest.approx(30)
    assert scores.point.total == scoring.total(outcomes, ["pgd", "flow", "rt"])
    assert scores.named == ("pgd", "rt")


def test_nothing_that_was_not_asked_for_is_made(tmp_path, write):
    run = write(tmp_path / "a", "max-at", 90, SCORES)
    (scores,) = score_runs([run.path])
    assert (scores.named, scores.union, scores.baseline, scores.universal) == ((), *[None] * 3)
    assert scores.as_table()["union_of"] is None


def test_the_universal_score_is_the_gain_over_the_baseline_that_is_named(tmp_path, write):
    base = write(tmp_path / "n", "natural", 95, (30, 20, 10, 5))
    run = write(tmp_path / "a", "max-at", 90, SCORES)
    (scores,) = score_runs([run.path], baseline=base.path)
    assert scores.universal == pytest.approx(30 + 30 + 30)  # integrated is not summed
    assert scores.as_table()["baseline"] == str(base.path)


def test_an_ensemble_can_be_named_in_a_union(tmp_path, write, judged_any_way):
    run = write(tmp_path / "a", "max-at", 90, (60, 50, 40), protocol=judged_any_way)
    (scores,) = score_runs([run.path], ["strong"])
    assert scores.union == scores.point.scores["strong"] == pytest.approx(50)


def test_a_folder_above_stands_for_its_runs_and_none_is_scored_twice(study):
    one = study / "mgda" / "plain" / "seed-0"
    scored = score_runs([study, one, study / "mgda"])
    assert len(scored) == len({scores.path for scores in scored}) == 14
    assert [scores.point.variant for scores in score_runs([one, study / "natural"])] == [
        *("mgda", "natural")
    ]


def test_a_run_is_scored_alone_even_where_others_lie_below_it(tmp_path, write):
    write(tmp_path / "a", "max-at", 90, SCORES)
    write(tmp_path / "a" / "old", "old", 80, SCORES)
    (scores,) = score_runs([tmp_path / "a"])
    assert scores.point.variant == "max-at"


class TestLosses:
    def test_each_strength_has_its_mean_and_the_natural_image_too(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 90, SCORES, losses=True)
        (scores,) = score_runs([run.path])
        assert scores.losses["natural"] == {"0": 0}
        assert scores.losses["pgd"] == {"2": 1, "4": 2}
        assert scores.losses["integrated"] == {"4": 7}

    def test_of_several_restarts_it_is_the_highest(self, tmp_path, write, judged_any_way):
        run = write(
            tmp_path / "a", "max-at", 90, (60, 50, 40), protocol=judged_any_way, losses=True
        )
        (scores,) = score_runs([run.path])
        assert scores.losses["ce"] == {"5": 2}
        assert scores.losses["flow"] == {"0.031": 5, "0.3": 6}
        assert "strong" not in scores.losses

    def test_what_was_not_kept_is_none(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 90, SCORES)
        (scores,) = score_runs([run.path])
        assert scores.losses["pgd"] == {"2": None, "4": None}

    def test_one_that_some_example_has_not_is_none_and_the_others_stay(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 90, SCORES, losses=True)
        losses = run.load_evaluation()[0]["losses"]
        losses[3, 2] = np.nan
        change_arrays(run, losses=losses)
        (scores,) = score_runs([run.path])
        assert scores.losses["pgd"] == {"2": 1, "4": None}


class TestWhatWasNotSearched:
    def test_the_scores_that_touch_it_are_none_and_the_union_stays(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 90, SCORES, union_only=True)
        (scores,) = score_runs([run.path])
        point = scores.point
        assert point.accuracy["pgd"] == {"2": None, "4": None}
        assert (point.total, point.scores["rt"], point.worst["rt"]) == (None, None, None)
        assert (point.natural, point.union) == (pytest.approx(90), pytest.approx(30))

    def test_one_entry_takes_the_scores_of_its_threat_alone(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 90, SCORES)
        outcomes = run.load_evaluation()[0]["outcomes"]
        outcomes[999, 3] = -1  # flow at its smaller strength, of an example that is wrong anyway
        change_arrays(run, outcomes=outcomes)
        (scores,) = score_runs([run.path])
        point = scores.point
        assert point.accuracy["flow"] == {"2": None, "4": pytest.approx(50)}
        assert point.scores["flow"] is point.total is None
        assert point.conditional["flow"] == pytest.approx(100 * 50 / 90)
        assert point.scores["pgd"] == pytest.approx(60)

    def test_a_union_over_threats_that_names_it_is_refused_by_name(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 90, SCORES)
        outcomes = run.load_evaluation()[0]["outcomes"]
        outcomes[10, 4] = -1  # flow at 4, of an example that withstood everything else
        outcomes[10, 6] = 0  # and fell by rt
        change_arrays(run, outcomes=outcomes)
        message = refusal(UnsearchedError, [run.path], ["pgd", "flow"])
        assert message.startswith(f"{run.path}: 'flow' at strength 4 was not searched for every")
        (scores,) = score_runs([run.path], ["flow", "rt"])  # it fell, whatever flow would do
        assert scores.union == pytest.approx(39.9)

    def test_a_baseline_that_has_no_total_is_refused_by_name(self, tmp_path, write):
        base = write(tmp_path / "n", "natural", 95, SCORES, union_only=True)
        run = write(tmp_path / "a", "max-at", 90, SCORES)
        message = refusal(UnsearchedError, [run.path], baseline=base.path)
        assert message.startswith(f"{base.path}: 'pgd' at strength 2 was not searched for every")

    def test_its_json_is_null_and_never_nan(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 0, (0, 0, 0, 0), losses=True)
        (scores,) = score_runs([run.path])
        assert scores.point.conditional["pgd"] is None
        table = json.loads(json.dumps(scores.as_table(), allow_nan=False))
        assert table["conditional"]["pgd"] is None
        assert table["losses"]["pgd"] == {"2": 1, "4": 2}


class TestRefusals:
    def test_a_threat_that_was_not_evaluated(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 90, SCORES)
        message = refusal(MoatError, [run.path], ["pgd", "flwo"])
        assert message.startswith(f"{run.path}: the threat 'flwo' was not evaluated. Did you mean")
        assert "'flow'" in message
        assert "evaluated: pgd, flow, rt, integrated" in message

    def test_a_folder_without_a_finished_run(self, tmp_path):
        message = refusal(RunFolderError, [tmp_path])
        assert message.startswith(f"{tmp_path}: the folder has no finished run (no run.json).")

    def test_a_run_without_an_evaluation(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 90, SCORES)
        (run.path / "evaluation.npz").unlink()
        message = refusal(RunFolderError, [run.path])
        assert message.startswith(f"{run.path}: the run is finished but its evaluation is missing.")

    @pytest.mark.parametrize("kept", [0, 20, -30])
    def test_a_damaged_matrix(self, tmp_path, write, kept):
        path = write(tmp_path / "a", "max-at", 90, SCORES).path / "evaluation.npz"
        path.write_bytes(path.read_bytes()[:kept])
        message = refusal(RunFolderError, [tmp_path])
        assert message.startswith(f"{path}: the file is truncated or not moat's")

    def test_a_matrix_of_another_protocol_than_the_record(self, tmp_path, write):
        run = write(tmp_path / "a", "max-at", 90, SCORES)
        change_arrays(run, protocol_hash=np.array("other"))
        message = refusal(RunFolderError, [run.path])
        assert "it is of protocol other, its record of 0123456789abcdef." in message

    def test_a_baseline_of_several_runs(self, study):
        run = study / "mgda" / "plain" / "seed-0"
        message = refusal(RunFolderError, [run], baseline=study)
        assert message.startswith(f"{study}: a baseline is one run, but this folder contains 14.")
        assert message.endswith(", ...")

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ({"data": {"type": "mnist"}}, 'data.type is "digits" and "mnist"'),
            ({"protocol_hash": "f" * 16}, "protocol_hash is 0123456789abcdef and ffffffffffffffff"),
        ],
    )
    def test_a_baseline_that_was_judged_otherwise(self, tmp_path, write, other, said):
        base = write(tmp_path / "n", "natural", 95, SCORES, **other)
        run = write(tmp_path / "a", "max-at", 90, SCORES)
        message = refusal(MoatError, [run.path], baseline=base.path)
        assert message.startswith(f"{run.path}: the run cannot be compared with the baseline")
        assert said in message
