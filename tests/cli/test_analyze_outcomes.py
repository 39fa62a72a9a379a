"""`moat analyze` of stored outcomes and of logs, as a user types it."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from moat.errors import AnalysisError
from moat.report.plots.sweeps import Swept
from moat.report.points import read_points
from moat.runs import read_analysis
from moat.study.analyses.trends import strength_numbers

STUDY = Path("results", "digits_pareto")
RELATIONSHIP = ("--variant", "pareto", "--across", "scalarizer.r")
DIFFERENCE = ("--of", "pareto", "--minus", "average-at", "--across", "scalarizer.r")


@pytest.fixture
def study(golden, tmp_path):
    """A study of four values of r and three seeds, without weights."""
    shutil.copytree(golden / "digits_pareto", tmp_path / STUDY)


@pytest.mark.usefixtures("study")
def test_a_relationship_is_written_beside_the_runs_with_its_correlations(moat):
    answer = moat("analyze", "relationship", STUDY, *RELATIONSHIP, "--threats", "flow,rt")
    assert (answer.code, answer.err) == (0, "")
    out = STUDY / "analysis"
    first, *_ = lines = answer.out.splitlines()
    assert "the robustness to flow rises with r: rank correlation: " in first
    endings = ("json", "npz", "csv", "png", "svg")
    assert lines[2:] == [f"wrote {out}/relationship.{end}" for end in endings]
    found = read_analysis(out / "relationship.json")
    assert found.coordinates("strength") == [0.1, 0.2, 0.4, 0.7]
    assert found.settings["interval_over"] == "examples and seeds"
    assert [one.run for one in found.subjects][:1] == ["../pareto/r=0.1/seed-0"]
    assert len(found.subjects) == 12
    rows = list(csv.DictReader((out / "relationship.csv").read_text().splitlines()))
    flow = [r for r in rows if (r["quantity"], r["threat"]) == ("correlation", "flow")]
    assert float(flow[0]["value"]) == found["correlation"][0]


@pytest.mark.usefixtures("study")
def test_an_overfitting_agrees_with_the_scores_of_the_runs(moat):
    answer = moat("analyze", "overfitting", STUDY, *DIFFERENCE, "--format", "pdf", "--as", "figure")
    assert (answer.code, answer.err) == (0, "")
    found = read_analysis(STUDY / "analysis" / "figure.json")
    assert (STUDY / "analysis" / "figure.pdf").exists()
    points, _ = read_points(STUDY)
    scores = {
        label: np.mean([point.scores["rt"] for point in points if point.label == label])
        for label in ("pareto r=0.7", "average-at")
    }
    place = found.coordinates("threat").index("rt")
    apart = scores["pareto r=0.7"] - scores["average-at"]
    assert found["difference"][place, -1] == pytest.approx(apart, abs=1e-9)


@pytest.mark.usefixtures("study")
def test_a_figure_of_a_recipe_is_taken_and_its_keys_can_be_replaced(moat, tmp_path):
    recipe = tmp_path / "figures.toml"
    recipe.write_text(
        '[[figure]]\ntype = "relationship"\nacross = "scalarizer.r"\nvariant = "pareto"\n'
        'zero = "natural"\nthreats = ["flow"]\n'
    )
    asked = ("analyze", "relationship", STUDY, "--recipe", recipe, "--format", "pdf")
    assert moat(*asked).code == 0
    found = read_analysis(STUDY / "analysis" / "relationship.json")
    assert found.coordinates("strength") == [0, 0.1, 0.2, 0.4, 0.7]
    assert found.coordinates("threat") == ["flow"]
    assert found.settings["conditional"]
    assert moat(*asked, "--measure", "accuracy", "--threats", "rt").code == 0
    found = read_analysis(STUDY / "analysis" / "relationship.json")
    assert found.coordinates("threat") == ["rt"]
    assert not found.settings["conditional"]
    answer = moat("analyze", "overfitting", STUDY, "--recipe", recipe)
    assert answer.code == 2
    assert answer.err == (
        f"{recipe}: the recipe has no [[figure]] of the type 'difference'.\n"
        "  docs/recipes.md lists its keys.\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["relationship", STUDY],
            "runs: no recipe of these runs has a [[figure]] of the type 'relationship'.\n"
            "  Name its keys, --variant NAME --across KEY, or a recipe with one: --recipe FILE\n",
        ),
        (
            ["relationship", STUDY, "--variant", "pareto"],
            "--across: the figure needs it as well.\n  Give --across, --variant, or none of them",
        ),
        (
            ["overfitting", STUDY, "--threats", "rt"],
            "--across, --of, --minus: the figure needs them as well.\n",
        ),
        (
            ["relationship", STUDY, *RELATIONSHIP, "--measure", "acuracy"],
            "--measure: no measure is called 'acuracy'. Did you mean 'accuracy'?\n"
            "  known: conditional, accuracy\n",
        ),
        (
            ["relationship", STUDY, *RELATIONSHIP, "--threats", "flwo"],
            "threats: a run was not evaluated under 'flwo'. Did you mean 'flow'?\n",
        ),
        (
            ["relationship", STUDY, "--variant", "natural", "--across", "scalarizer.r"],
            "no finished run of 'natural' sweeps 'scalarizer.r'.",
        ),
        (
            ["relationship", STUDY / "pareto" / "r=0.1", *RELATIONSHIP],
            "r: a trend needs runs at 3 strengths or more, not 1: 0.1.\n",
        ),
        (["relationship", "nowhere", *RELATIONSHIP], "nowhere: "),
        (
            ["relationship", STUDY, "other", *RELATIONSHIP, "--out", "x"],
            "runs: the runs belong to 2 studies: digits_pareto, other.\n  Name the folder of one.",
        ),
    ],
)
@pytest.mark.usefixtures("study")
def test_runs_without_a_trend_exit_with_2_and_the_mend(moat, golden, words, message):
    if "other" in words:
        shutil.copytree(golden / "digits_pareto" / "natural", "other/natural")
        for path in Path("other").rglob("run.json"):
            path.write_text(path.read_text().replace('"digits_pareto"', '"other"'))
    answer = moat("analyze", *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(message)


@pytest.mark.usefixtures("study")
def test_runs_of_another_protocol_are_told_apart(moat):
    for path in (STUDY / "average-at").rglob("run.json"):
        record = json.loads(path.read_text())
        record["data"]["digest"] = "0" * len(record["data"]["digest"])
        path.write_text(json.dumps(record))
    answer = moat("analyze", "relationship", STUDY, *RELATIONSHIP)
    assert answer.code == 2
    assert answer.err.startswith(
        "runs: the runs differ in their data or protocol, so they cannot be compared.\n"
    )
    assert "data.digest is" in answer.err


@pytest.mark.parametrize("value", ["noise", True, None])
def test_a_key_whose_values_do_not_grow_is_refused(value):
    with pytest.raises(AnalysisError) as caught:
        strength_numbers(Swept((), (0, value), "threats.pgd.train.start"))
    assert str(caught.value) == (
        f"across: {value!r} is not a number, so runs at it have no place along "
        "'threats.pgd.train.start'.\n"
        "  Name a swept key whose values grow, such as threats.pgd.train.steps."
    )


def test_the_conflict_of_a_training_is_logged_and_shown(moat, trained, recipe):
    path = recipe("log_every = 2", "log_every = 1\nconflict_every = 2", name="measured.toml")
    trained(path, "plain", "pareto")
    study = Path("results/measured")
    answer = moat("analyze", "conflict", study, "--batch-size", "10", "--format", "png")
    assert (answer.code, answer.err) == (0, "")
    found = read_analysis(study / "analysis" / "conflict.json")
    assert found.coordinates("subject") == ["plain", "pareto r=0.5", "pareto r=1.0"]
    assert found.coordinates("pair") == ["natural, pgd", "natural, flow", "pgd, flow"]
    assert found.coordinates("step") == [2, 4, 6]
    assert np.isnan(found["logged_cosine"][0]).all()  # plain training has one objective
    assert np.isfinite(found["logged_cosine"][1:]).all()
    assert np.isfinite(found["cosine_low"][:, 0]).all()
    assert np.isfinite(found["loss_correlation"][1:]).all()
    assert len(found.findings) == 3
