"""`moat evaluate` in its three forms, and `moat score`, as a user types them."""

import json
import re
import shlex
from pathlib import Path

import pytest

from moat.runs import RunFolder

NETS = """
import torch
from torch import nn


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
"""


@pytest.fixture
def finished(recipe, trained) -> list[Path]:
    """Two finished runs, in the folder where the commands run."""
    trained(recipe(), "plain", "pgd-at")
    return [Path("results", "study", name, "seed-0") for name in ("plain", "pgd-at")]


@pytest.fixture
def any_iterate(recipe, tmp_path) -> Path:
    """A protocol that differs from the study's."""
    recipe()
    path = tmp_path / "any.toml"
    path.write_text('extends = "study.toml"\n[evaluation]\nfalls = "any"\n')
    return path


def test_a_study_is_judged_by_another_protocol(moat, finished, any_iterate):
    answer = moat("evaluate", "results/study", "--protocol", any_iterate)
    assert (answer.code, answer.err) == (0, "")
    lines = [line for line in answer.out.splitlines() if not line.startswith("  ")]
    folders = [Path("results", "study@any", name, "seed-0") for name in ("pgd-at", "plain")]
    assert [line.partition(":")[0] for line in lines[:2]] == [str(folder) for folder in folders]
    assert lines[-1] == "Next: moat front results/study@any"
    answer = moat("report", "results/study", "--against", "results/study@any")
    assert answer.code == 0
    assert "results/study" in answer.out
    assert Path("results/study/against.md").exists()


def test_fewer_or_other_examples_are_compared_where_common_else_the_command_is_said(
    moat, finished, any_iterate
):
    evaluated = ("evaluate", finished[0], "--protocol", any_iterate)
    assert moat(*evaluated, "--set", "evaluation.examples=15").code == 0
    (fewer,) = Path("results").glob("study@any+*")
    answer = moat("report", "results/study", "--against", fewer)
    assert answer.code == 0
    said = "on the 15 test examples that both evaluated, of 40 and 15"
    assert said in " ".join(answer.out.split())
    assert moat("report", "results/study", "--against", fewer, "--format", "csv").code == 0

    others = ("--set", "evaluation.examples=15", "--set", "evaluation.seed=5")
    assert moat(*evaluated, *others, "--results", "elsewhere").code == 0
    (other,) = Path("elsewhere").iterdir()
    for pair in ((finished[0].parent, other), (other, finished[0].parent)):
        answer = moat("report", pair[0], "--against", pair[1])
        assert answer.code == 2
        *_, mend, command = answer.err.splitlines()
        assert mend.strip() == "This evaluates the same examples:"
        assert "evaluation.examples=40" in command
    assert moat(*shlex.split(command)[1:]).code == 0
    (same,) = set(Path("elsewhere").iterdir()) - {other}
    answer = moat("report", "results/study", "--against", same)
    assert (answer.code, "of 40 test examples" in answer.out) == (0, True)


def test_anybodys_model_is_judged_and_joins_the_front(
    moat, finished, recipe, tmp_path, monkeypatch
):
    (tmp_path / "a_net.py").write_text(NETS)
    answer = moat("evaluate", "--model", "python:a_net:net", "--protocol", recipe())
    assert answer.code == 0
    memory, scores, *_ = answer.out.splitlines()
    assert memory == "  evaluation: up to 1 MiB besides network and data, passes of 128"
    assert scores.startswith(f"{Path('results', 'study', 'net', 'seed-0')}: natural ")
    assert answer.out.endswith("Next: moat front results/study\n")
    front = moat("front", "results/study").out
    assert all(f"\n{name} " in front for name in ("plain", "pgd-at", "net"))


def test_a_check_that_fails_is_said_at_once(moat, recipe, tmp_path):
    (tmp_path / "flat.py").write_text(
        NETS.replace(
            "return",
            "class Sign(nn.Module):\n        forward = lambda self, x: x.sign()\n    return",
        ).replace("nn.Flatten(),", "Sign(), nn.Flatten(),")
    )
    answer = moat("evaluate", "--model", "python:flat:net", "--protocol", recipe())
    assert answer.code == 0
    assert "\n  sanity gate: fail, gradients: " in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--checkpoint", "x.pt"], "--checkpoint needs --model."),
        (["--model", "python:a:b"], "--model needs --protocol."),
        (["results", "--set", "a=1"], "--set needs --protocol."),
        (
            ["results", "--model", "python:a:b", "--protocol", "study.toml"],
            "runs and --model need a call each",
        ),
        (["--protocol", "study.toml"], "there is nothing to evaluate."),
        (["--model", "python:nest:net", "--protocol", "study.toml"], "names the module 'nest'"),
        (["--model", "python:json:net", "--protocol", "study.toml"], "'json' has no 'net'"),
        (
            ["--model", "python:a:b", "--protocol", "no.toml"],
            "no.toml: this recipe does not exist.",
        ),
    ],
)
def test_what_does_not_go_together_exits_with_2_and_says_what(moat, recipe, arguments, said):
    recipe()
    answer = moat("evaluate", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


# moat score


def test_scores_come_from_what_is_stored_and_no_model_is_loaded(moat, finished):
    for run in finished:
        (run / "model.safetensors").unlink()
    answer = moat("score", "results/study", "--union", "pgd,flow", "--baseline", finished[0])
    assert (answer.code, answer.err) == (0, "")
    for run in finished:
        assert f"{run}: " in answer.out
    assert "of pgd, flow" in answer.out
    assert f"against {finished[0]}" in answer.out
    assert "Sanity gate (details: --notes): " in answer.out


def test_scores_are_plain_json_where_that_is_asked_for(moat, finished):
    (one,) = json.loads(moat("score", finished[1], "--union", "pgd", "--json").out)
    arrays, _ = RunFolder(finished[1]).load_evaluation()
    pgd = arrays["threats"] == "pgd"
    right = arrays["outcomes"][:, 0] == 1
    stood = (arrays["outcomes"][:, pgd] == 1).all(1) & right
    assert one["union_of"] == {"threats": ["pgd"], "union": pytest.approx(100 * stood.mean())}
    assert {check["name"] for check in one["sanity"]} > {"loss", "reach"}


def test_a_score_of_what_was_not_searched_is_refused_by_name(moat, finished, any_iterate):
    only = any_iterate.with_name("only.toml")
    only.write_text(any_iterate.read_text() + "union_only = true\n")
    moat("evaluate", finished[1], "--protocol", only)
    run = Path("results", "study@only", "pgd-at", "seed-0")
    arrays, _ = RunFolder(run).load_evaluation()
    assert (arrays["outcomes"] == -1).any()
    assert moat("score", run).code == 0  # absent scores are dashes
    answer = moat("score", finished[0], "--baseline", run)
    assert answer.code != 0
    assert str(run) in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["results/study", "--union", "pgd,folw"], "Did you mean 'flow'?"),
        (
            ["results/study", "--baseline", "results"],
            "a baseline is one run, but this folder contains 2",
        ),
        (["nowhere"], "nowhere: the folder does not exist."),
    ],
)
def test_what_cannot_be_scored_is_said(moat, finished, arguments, said):
    answer = moat("score", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_damaged_matrix_is_not_scored(moat, finished):
    (finished[0] / "evaluation.npz").write_bytes(b"torn")
    answer = moat("score", finished[0])
    assert answer.code != 0
    assert "evaluation.npz: the file is truncated or not moat's" in answer.err


def test_outcomes_of_another_protocol_than_the_records_are_not_scored(moat, finished, any_iterate):
    moat("evaluate", finished[0], "--protocol", any_iterate)
    other = Path("results", "study@any", "plain", "seed-0", "evaluation.npz")
    (finished[0] / "evaluation.npz").write_bytes(other.read_bytes())
    answer = moat("score", finished[0])
    assert answer.code != 0
    assert "the file and run.json do not belong together: its digest is" in answer.err


def test_held_out_examples_are_asked_for_under_another_protocol_alone(moat):
    answer = moat("evaluate", "run", "--validation")
    assert answer.code == 2
    assert answer.err.startswith("--validation needs --protocol.")
    answer = moat("evaluate", "--model", "python:nets:Net", "--protocol", "p.toml", "--validation")
    assert answer.code == 2
    assert answer.err.startswith("--validation evaluates the examples that a moat run held out")


def test_a_dry_run_prices_each_form_and_writes_nothing(moat, recipe, trained):
    path = recipe()
    trained(path, "plain")
    run = Path("results/study/plain/seed-0")
    other = recipe("at_steps = [1, 2]", "at_steps = [3]", name="other.toml")
    before = {file: file.stat().st_mtime_ns for file in run.parents[2].rglob("*")}
    weights, own = run / "model.safetensors", ["--model", "tiny-cnn", "--arg", "width=4"]
    for form, said in (
        ([run], r"plain +again +6/3 +40 .*study/plain/seed-0"),
        ([run, "--protocol", "other.toml"], r"plain +to make +7/4 +40 .*study@other/plain/seed-0"),
        ([run, "--protocol", path], r"plain +there +6/3 +40 .*study/plain/seed-0"),
        (
            [*own, "--checkpoint", weights, "--protocol", other],
            r"tiny-cnn-model +to make +7/4 +40 .*other/tiny-cnn-model/seed-0",
        ),
    ):
        answer = moat("evaluate", *form, "--dry-run")
        assert (answer.code, answer.err) == (0, "")
        assert re.search(said, answer.out)
        assert "nothing was searched" in answer.out
    assert {file: file.stat().st_mtime_ns for file in run.parents[2].rglob("*")} == before


def test_a_dry_run_says_a_refusal_once_and_ends_as_the_evaluation(moat, recipe, finished):
    other = recipe('"digits"', '"digits"\nsize = 16', name="wide.toml")
    asked = ("evaluate", "results/study", "--protocol", other)
    dry, real = moat(*asked, "--dry-run"), moat(*asked)
    assert (dry.code, real.code) == (2, 2)
    assert "nothing was searched: 0 evaluation(s) to make, 2 refused" in dry.out
    assert re.search(r"\nplain +refused +- +- ", dry.out)
    assert "Worth a second look" not in dry.out
    assert dry.err.count("the run was tested on other data than the protocol's") == 1
    assert [line for line in dry.err.splitlines() if line.startswith("refused: ")] == [
        f"refused: {Path('results', 'study', name, 'seed-0')}" for name in ("pgd-at", "plain")
    ]
    assert dry.err.replace("refused:", "failed:") == real.err


def test_a_dry_run_of_which_one_run_is_refused_prices_the_others(moat, any_iterate, finished):
    (finished[0] / "model.safetensors").unlink()
    asked = ("evaluate", "results/study", "--protocol", any_iterate)
    dry, real = moat(*asked, "--dry-run"), moat(*asked)
    assert dry.code == real.code
    assert re.search(r"\npgd-at +to make ", dry.out)


FILM = """
[[variant]]
name = "film"
threats = ["pgd"]
scalarizer = "sampled"
conditioned = { at = [0.5], hidden = 8 }
"""


def test_a_conditioned_network_is_evaluated_at_a_point_or_a_preference(
    moat, recipe, trained, any_iterate
):
    path = recipe()
    path.write_text(path.read_text("utf-8") + FILM, "utf-8")
    trained(path, "film")
    run = Path("results", "study", "film", "at=0.5", "seed-0")
    for option, value, name in (
        ("--at", "0.25", "at=0.25"),
        ("--preference", "natural=0.3,pgd=0.7", "at=0.3natural+0.7pgd"),
    ):
        answer = moat("evaluate", run, option, value)
        assert (answer.code, answer.err) == (0, "")
        assert f"study/film/{name}/seed-0: natural" in answer.out
        assert "evaluated before" in moat("evaluate", run, option, value).out
    answer = moat("evaluate", run, "--at", "0.25", "--overwrite")
    assert (answer.code, "overwriting" in answer.out, "before" in answer.out) == (0, True, False)
    refused = {
        ("--at", "1.5"): "at is 1.5, not a number from 0 to 1",
        ("--preference", "natural=1,rt=0"): "the preference names 'rt', no objective",
        ("--preference", "natural=0.5"): "the weights of the preference sum to 0.5, not to 1",
        ("--preference", "natural"): "'natural' is not a weight of an objective",
        ("--preference", "natural=1,natural=0"): "'natural' is named twice",
        ("--at", "abc"): "'abc' is not a number from 0",
        ("--at", "0", "--preference", "pgd=1"): "at and preference both choose the network",
        ("--at", "0", "--protocol", str(any_iterate)): "do not go with --protocol",
        ("--at", "0", "--dry-run"): "--dry-run lists evaluations of runs that exist",
    }
    for words, text in refused.items():
        answer = moat("evaluate", run, *words)
        assert answer.code == 2, words
        assert text in answer.err
