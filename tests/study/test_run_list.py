"""Which runs are meant by some folders, and one run's failure beside the others."""

import pytest

from moat.errors import RunFolderError
from moat.events import EvaluationStart, EvaluationStep
from moat.runs import RunFolder
from moat.study import evaluate_model, evaluate_runs, trained_runs


@pytest.fixture
def runs(recipe, trained):
    return trained(recipe(), "plain", "pgd-at")


@pytest.fixture
def alone(runs, recipe, results, tiny_model):
    """The evaluation of a model that moat did not train, in the study of the runs."""
    judged = evaluate_model(
        tiny_model.float(), recipe(), name="theirs", results=results, device="cpu"
    )
    return judged.folder


class Heard:
    """Notes which evaluations begin, and whom they search."""

    def __init__(self):
        self.begun, self.searched = [], []

    def __call__(self, event):
        match event:
            case EvaluationStart(run=run, before=before):
                self.begun.append((run, before))
            case EvaluationStep(held_out=False, threat=threat):
                self.searched.append(threat)


# which runs


def test_a_run_is_itself_and_a_folder_is_all_that_lie_below(runs, results):
    assert trained_runs(runs[:1]) == runs[:1]
    assert trained_runs([results]) == trained_runs([results / "study"]) == sorted(runs)


def test_a_run_that_is_named_twice_is_one(runs, results):
    assert trained_runs([runs[1], results, runs[0], runs[1]]) == [runs[1], runs[0]]


def test_evaluations_alone_are_passed_over_unless_one_is_named(runs, alone, results):
    assert trained_runs([results]) == sorted(runs)
    with pytest.raises(RunFolderError) as refused:
        trained_runs([alone])
    first, *_, last = str(refused.value).splitlines()
    assert first == (
        f"{alone}: the folder contains the evaluation of a model that moat did not train, without "
        "a model."
    )
    assert last.endswith("with overwrite=True.")


def test_a_folder_with_evaluations_alone_has_no_run(alone):
    with pytest.raises(RunFolderError) as refused:
        trained_runs([alone.parent])
    assert str(refused.value) == (
        f"{alone.parent}: this folder contains no run that moat trained, but 1 evaluation(s) of "
        "other models.\n  Name a run's own folder, or that of a study."
    )


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_without_a_finished_run_is_refused(tmp_path, there):
    path = tmp_path / "nothing"
    if there:
        path.mkdir()
    why = (
        r"the folder has no finished run \(no run.json\)" if there else "the folder does not exist"
    )
    with pytest.raises(RunFolderError, match=why):
        trained_runs([path])


def test_a_run_whose_record_is_broken_is_taken_and_says_so_when_it_is_evaluated(runs):
    (runs[0] / "run.json").write_text("{")
    assert trained_runs([runs[0].parent]) == [runs[0]]
    (judged,) = evaluate_runs([runs[0]], "cpu")
    assert "run.json: the file is truncated or not moat's" in str(judged.error)


# one after another


def test_each_is_evaluated_by_its_own_protocol_and_told_as_it_begins(runs):
    heard = Heard()
    held = [RunFolder(run).read_record().scores for run in runs]
    judged = list(evaluate_runs(runs, "cpu", heard))
    assert [one.folder for one in judged] == runs
    assert [RunFolder(run).read_record().scores for run in runs] == held
    assert [(one.error, one.before) for one in judged] == [(None, False)] * 2
    assert heard.begun == [(runs[0], 0), (runs[1], 1)]
    assert heard.searched.count("natural") == 4  # begins and ends, for two runs


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (lambda run: (run / "model.safetensors").unlink(), "weights are missing"),
        (lambda run: (run / "recipe.toml").write_text("data ="), "recipe.toml"),
    ],
)
def test_a_run_that_fails_is_its_own_result_and_the_others_go_on(runs, breaks, said):
    breaks(runs[0])
    first, second = evaluate_runs(runs, "cpu")
    assert first.scores is None
    assert said in str(first.error)
    assert second.error is None
    assert second.scores is not None


def test_an_error_that_is_not_moats_is_said_with_where_it_came_up(runs, monkeypatch):
    def broken(*arguments):
        raise ValueError("of a plug-in")

    monkeypatch.setattr("moat.study.own_protocol.evaluate_run", broken)
    first, second = evaluate_runs(runs, "cpu")
    for one in (first, second):
        assert str(one.error).startswith("ValueError: of a plug-in\n  Raised by broken in line ")


def test_nothing_is_evaluated_before_it_is_asked_for(runs):
    heard = Heard()
    going = evaluate_runs(runs, "cpu", heard)
    assert heard.begun == []
    next(going)
    assert heard.begun == [(runs[0], 0)]
