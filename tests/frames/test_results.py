import json
import shutil
import subprocess
import sys

import polars as pl
import pytest

import moat
from moat.errors import FrontError, MoatError, PlotError
from moat.frames import Results
from moat.outcomes import Column, accuracy, contributions
from moat.report import make_fronts, read_points
from moat.report.settings import settings_of


@pytest.fixture(scope="module")
def found(golden) -> Results:
    return moat.results(golden / "digits_pareto")


def points(golden):
    return {point.where: point for point in read_points(golden / "digits_pareto")[0]}


def test_runs_of_a_time_before_passes_were_counted_have_none(found):
    for column in ("forwards", "backwards", "searched", "passes"):
        assert found.runs[column].null_count() == found.runs.height
    assert found.runs["seconds"].null_count() == 0


def test_a_row_of_runs_is_a_run_with_its_scores(found, golden):
    known = points(golden)
    assert found.runs["run"].to_list() == list(known)
    for row in found.runs.iter_rows(named=True):
        point = known[row["run"]]
        assert (row["label"], row["seed"], row["variant"]) == (
            point.label,
            point.seed,
            point.variant,
        )
        assert (row["natural"], row["total"], row["union"]) == (
            point.natural,
            point.total,
            point.union,
        )
        assert row["sweep.scalarizer.r"] == point.sweep.get("scalarizer.r")
    naturals = found.runs.filter(variant="natural")
    assert naturals["universal"].to_list() == [0.0] * len(naturals)


def test_a_score_is_that_of_the_outcome_matrix_with_an_interval_about_it(found, golden):
    known = points(golden)
    scores = found.scores
    assert scores.filter(pl.col("low") > pl.col("value") + 1e-9).is_empty()
    assert scores.filter(pl.col("high") < pl.col("value") - 1e-9).is_empty()
    for row in scores.filter(pl.col("strength").is_not_null()).iter_rows(named=True):
        column = Column(row["threat"], row["strength"], 0, row["by"])
        conditional = row["score"] == "conditional"
        outcomes = known[row["run"]].outcomes
        assert row["value"] == accuracy(outcomes, column, conditional=conditional)
    for row in scores.filter(score="robustness").iter_rows(named=True):
        outcomes = known[row["run"]].outcomes
        assert row["value"] == pytest.approx(contributions(outcomes, row["threat"]).mean())
    assert set(scores["score"]) == {
        *("natural", "accuracy", "conditional", "robustness"),
        *("union", "total", "universal", "sacrificed"),
    }


def test_an_accuracy_is_the_share_of_examples_that_withstood(found):
    shares = (
        found.examples.filter(pl.col("threat") != "natural")
        .group_by("run", "threat", "strength")
        .agg((100 * pl.col("withstood").mean()).alias("share"))
    )
    both = found.scores.filter(score="accuracy").join(shares, on=["run", "threat", "strength"])
    assert len(both) == len(shares)
    assert (both["value"] - both["share"]).abs().max() < 1e-9
    assert found.examples["loss"].null_count() == 0


def test_a_front_is_that_of_the_command(found, golden):
    front = found.front()
    (expected,) = make_fronts(golden / "digits_pareto").fronts
    assert front.settings["setting"].to_list() == [one.name for one in expected.settings]
    assert front.settings["on_front"].to_list() == expected.members.tolist()
    assert front.hypervolume == expected.hypervolume
    assert front.objectives == ("universal score", "sacrificed natural accuracy")
    for name in front.objectives:
        low, value, high = (front.settings[name + end] for end in (" low", "", " high"))
        assert ((low <= value + 1e-9) & (value <= high + 1e-9)).all()
    three = found.front(objectives=["natural", "pgd", "flow"], prefer={"pgd": 1.0})
    assert three.objectives == ("natural accuracy", "pgd", "flow")
    assert three.preferred in found.runs["run"].to_list()
    dominated = front.settings.filter(~pl.col("on_front"))
    assert dominated["dominated_by"].null_count() == 0


def test_differences_are_paired_and_name_their_reference(found):
    compared = found.compare("average-at seed 0", "max-at seed 0")
    rows = {row["score"]: row for row in compared.differences.iter_rows(named=True)}
    values = {
        (row["label"], row["score"]): row["value"]
        for row in found.scores.filter(pl.col("threat").is_null(), seed=0).iter_rows(named=True)
    }
    for score in ("natural", "total", "union"):
        ours, theirs = values["max-at", score], values["average-at", score]
        assert rows[score]["difference"] == pytest.approx(ours - theirs)
        assert rows[score]["low"] <= rows[score]["difference"] <= rows[score]["high"]
    assert compared.settings["scalarizer.type"] == ("average", "max")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("average-at", "max-at seed 0"), "3 runs are called 'average-at'."),
        (("averge-at seed 0", "natural seed 0"), "Did you mean 'average-at seed 0'?"),
        (("natural seed 0",), "a comparison needs two runs or more"),
    ],
)
def test_a_run_that_is_not_one_is_refused_with_the_nearest(found, names, message):
    with pytest.raises(MoatError) as caught:
        found.compare(*names)
    assert message in str(caught.value)


def test_pictures_are_those_of_the_commands(found):
    assert len(found.plot("front").axes) >= 1
    figure = found.interactive("front")
    assert found.front().interactive() == figure
    names = {trace.name for trace in figure.data if trace.showlegend is not False}
    assert {row["variant"] for row in found.runs.iter_rows(named=True)} == names
    marked = [run for trace in figure.data if trace.customdata for run in trace.customdata]
    assert len(marked) == len(found.front().settings)
    assert set(marked) <= set(found.runs["run"])
    for kind, method in (("fronts", found.plot), ("fronts", found.interactive)):
        with pytest.raises(PlotError, match="Did you mean 'front'"):
            method(kind)


def test_a_runs_curves_are_figures(found, golden):
    for kind in ("losses", "weights", "steps"):
        figure = found.interactive(kind, "average-at seed 0")
        assert len(figure.data) > 1
        assert all(len(trace.x) == len(trace.y) for trace in figure.data)
    shares = {trace.name: trace.y for trace in found.interactive("steps", "max-at seed 0").data}
    rows = found.scores.filter(label="max-at", seed=0, score="accuracy", threat="pgd")
    assert list(shares["pgd"]) == pytest.approx(rows["value"].to_list(), rel=1e-3)
    with pytest.raises(PlotError, match="has no picture radius") as refused:
        found.interactive("radius", "max-at seed 0")
    assert "`steps` shows these" in str(refused.value)
    with pytest.raises(MoatError, match="no run is called 'averge-at seed 0'"):
        found.interactive("losses", "averge-at seed 0")


@pytest.fixture
def run(golden, tmp_path):
    """Return a function that copies a run of the results under another name."""

    def copy(name):
        shutil.copytree(golden / "digits_pareto/natural/seed-0", tmp_path / name)
        return tmp_path / name

    return copy


def test_runs_that_are_not_comparable_are_groups_of_their_own(found, golden, run, tmp_path):
    record = json.loads((run("other") / "run.json").read_text())
    record["data"]["digest"] = "another"
    (tmp_path / "other/run.json").write_text(json.dumps(record))
    both = moat.results(golden / "digits_pareto", tmp_path)
    assert len(both.runs) == len(found.runs) + 1
    assert {len(group.runs) for group in both.groups} == {len(found.runs), 1}
    for method in (both.front, lambda: both.plot("front")):
        with pytest.raises(FrontError, match=r"2 groups(.|\n)*`\.groups` has each group alone"):
            method()


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(FrontError, match="this folder contains no finished"):
        moat.results(tmp_path)
    with pytest.raises(MoatError, match="no results folder is named"):
        moat.results()


def test_a_broken_run_is_told_and_the_others_are_there(run, tmp_path):
    run("a")
    (run("b") / "run.json").write_text("{")
    found = moat.results(tmp_path)
    assert found.runs["run"].to_list() == ["a"]
    (message,) = found.skipped
    assert "run.json" in message


def test_frames_become_pandas(found):
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = found.scores.to_pandas()
    assert list(frame.columns) == found.scores.columns
    assert len(frame) == len(found.scores)


def test_settings_have_a_row_each(found):
    assert len(found.front().settings) == len(settings_of(found._group))


def test_reading_imports_no_torch(golden):
    code = (
        "import sys, moat; found = moat.results(sys.argv[1]); found.runs, found.scores, "
        "found.examples, found.front(), found.interactive(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(golden / "digits_pareto")], check=True)


@pytest.mark.parametrize("folders", [["a", "b"], 3, None])
def test_folders_are_named_one_by_one(folders):
    with pytest.raises(FrontError, match=r"moat.results takes folders one by one, not \w+"):
        moat.results(folders)
