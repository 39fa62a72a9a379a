"""Finished runs under another protocol: beside them, resumable, and never instead of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moat.errors import RecipeError
from moat.report import make_fronts
from moat.runs import RunFolder
from moat.study import evaluate_under, trained_runs
from moat.study.evaluation_estimates import estimate_under

STRONG = """
[data]
type = "digits"
[threats.pgd]
epsilon = 0.1
evaluate = { search = "apgd", start = "uniform", steps = 3, restarts = 2 }
[threats.flow]
epsilon = 0.3
step_size = 0.01
evaluate = { at_epsilon = [0.1, 0.3], steps = 2 }
[evaluation]
examples = 40
falls = "any"
"""


@pytest.fixture
def runs(recipe, trained):
    return trained(recipe(), "plain", "pgd-at")


@pytest.fixture
def strong(tmp_path) -> Path:
    """A protocol's file with everything the small study's has not."""
    path = tmp_path / "strong.toml"
    path.write_text(STRONG)
    return path


def judged_by(protocol, runs, **more):
    return list(evaluate_under(protocol, runs, device="cpu", **more))


def test_it_lies_beside_the_study_under_the_same_variants_and_seeds(
    runs, strong, results, snapshot
):
    before = snapshot(results)
    first, second = judged_by(strong, runs)
    assert first.error is second.error is None
    assert first.folder == results / "study@strong" / "plain" / "seed-0"
    assert second.folder == results / "study@strong" / "pgd-at" / "seed-0"
    assert {name: old for name, old in snapshot(results).items() if name in before} == before
    arrays, _ = RunFolder(first.folder).load_evaluation()
    assert arrays["threats"].tolist() == ["natural", "pgd", "pgd", "flow", "flow"]
    assert arrays["restarts"].tolist() == [0, 0, 1, 0, 0]


def test_its_runs_make_a_front_of_their_own(runs, strong, results):
    judged_by(strong, runs)
    (front,) = make_fronts(results / "study@strong").fronts
    assert {setting.first.label for setting in front.settings} == {"plain", "pgd-at"}
    assert front.group.protocol.falls == "any"
    assert len(make_fronts(results).fronts) == 2  # never on one front with the runs' own


def test_what_is_there_is_not_made_again(runs, strong, snapshot, results):
    judged_by(strong, runs)
    before = snapshot(results / "study@strong")
    again = judged_by(strong, runs)
    assert [one.before for one in again] == [True, True]
    assert snapshot(results / "study@strong") == before
    assert not any(one.before for one in judged_by(strong, runs, overwrite=True))


def test_the_runs_own_protocol_is_its_own_evaluation(runs, recipe):
    (first, _) = judged_by(recipe(), runs)
    assert first.before
    assert first.folder == runs[0]


def test_a_run_that_fails_lets_the_others_go_on(runs, strong):
    (runs[0] / "model.safetensors").unlink()
    first, second = judged_by(strong, runs)
    assert first.error is not None
    assert second.scores is not None


def test_other_data_than_the_runs_are_refused_by_name(runs, strong):
    strong.write_text(STRONG.replace('"digits"', '"digits"\nsize = 16'))
    (first, _) = judged_by(strong, runs)
    assert "the run was tested on other data than the protocol's: size" in str(first.error)
    assert f"The protocol sets its data in {strong}" in str(first.error)


def test_a_protocol_with_a_typo_is_refused_before_anything(runs, strong, results):
    strong.write_text(STRONG.replace("restarts", "restart"))
    with pytest.raises(RecipeError, match=r"evaluate\.restart: unknown key\. Did you mean 'rest"):
        judged_by(strong, runs)
    assert not (results / "study@strong").exists()


def test_runs_are_found_below_a_folder_and_evaluations_alone_passed_over(runs, strong, results):
    judged_by(strong, runs)
    assert trained_runs([results]) == sorted(runs)


# killed


def bytes_of(folder: Path) -> bytes:
    return (folder / "evaluation.npz").read_bytes()


def test_a_crash_at_any_write_ends_with_the_same_bytes(
    runs, strong, results, tmp_path, monkeypatch
):
    (whole,) = judged_by(strong, runs[:1], results=tmp_path / "whole")
    expected, replace, lived = bytes_of(whole.folder), os.replace, 0

    class Crash(BaseException):
        """The process dies: nothing may catch it."""

    for dies_at in range(100):
        done = 0

        def dying(source, target, dies_at=dies_at):
            nonlocal done
            done += 1
            if done > dies_at:
                raise Crash
            replace(source, target)

        monkeypatch.setattr(os, "replace", dying)
        other = tmp_path / f"crashed-{dies_at}"
        try:
            judged_by(strong, runs[:1], results=other)
        except Crash:
            lived += 1
        monkeypatch.setattr(os, "replace", replace)
        (again,) = judged_by(strong, runs[:1], results=other)
        assert bytes_of(again.folder) == expected
        if done <= dies_at:
            break
    assert lived >= 6  # the holder, natural, two threats, the matrix, the scores, the record


EVALUATE = """
import sys
from pathlib import Path
from moat.study import evaluate_under

protocol, run, results = map(Path, sys.argv[1:])
list(evaluate_under(protocol, [run], results=results, device="cpu"))
"""


def test_killed_it_goes_on_where_it_was_and_ends_with_the_same_bytes(runs, strong, tmp_path):
    strong.write_text(STRONG.replace("restarts = 2", "restarts = 60"))
    (whole,) = judged_by(strong, runs[:1], results=tmp_path / "whole")
    killed = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", EVALUATE, strong, runs[0], killed])
    deadline = time.monotonic() + 120
    while not list(killed.rglob("00000-natural.npz")):  # the threats come next
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not list(killed.rglob("run.json"))
    (kept,) = killed.rglob("00000-natural.npz")
    (again,) = judged_by(strong, runs[:1], results=killed)
    assert not kept.exists()  # what an unfinished evaluation kept goes with its end
    assert bytes_of(again.folder) == bytes_of(whole.folder)


def test_a_folder_that_would_have_too_long_a_name_is_refused(recipe, trained, results):
    (run,) = trained(recipe(name=f"{'s' * 240}.toml"), "plain")
    long = recipe("at_steps = [1, 2]", "at_steps = [3]", name="a-strong-protocol.toml")
    (judged,) = evaluate_under(long, [run], device="cpu")
    assert "which cannot be a folder: it has 258 bytes" in judged.error.message
    assert judged.error.hint == "Give the protocol's file, or the study's folder, a shorter name."
    (one,), _ = estimate_under(long, [run], device="cpu")
    assert one.state == "refused"
