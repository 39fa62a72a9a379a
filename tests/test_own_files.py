"""No variant, study or model is called as a file that moat writes beside it."""

import pytest

from moat import study
from moat.errors import MoatError, RecipeError
from moat.own_files import PICTURES, RUN_FILES, is_taken
from moat.recipe import read_protocol
from moat.report import (
    compare_runs,
    make_fronts,
    make_plots,
    make_scoreboards,
    write_comparison,
    write_front,
    write_plots,
    write_report,
)
from moat.report.page import write_page
from moat.report.plots.kinds import KINDS
from moat.study import evaluate_model

TAKEN = (
    *("study.json", "Study.JSON", "front.csv", "front-2.png", "front.json", "figures", "FIGURES"),
    *("report.html", "report.md", "report-10.csv", "against.md", "compare.json"),
    *("compare-examples.csv", "training.svg", "difference-3.png", *RUN_FILES),
)
FREE = ("front", "study", "report", "figure", "front-csv", "front.csv.old", "frontXcsv", "code")


def test_all_that_moat_writes_beside_runs_is_taken(trained, recipe, results):
    runs = trained(recipe(), "plain", "pgd-at")
    folder = runs[0].parents[1]
    before = set(folder.iterdir())
    write_front(make_fronts(folder), folder)
    write_report(make_scoreboards(folder), folder)
    write_comparison(compare_runs(runs), folder)
    write_page(make_scoreboards(folder), folder, folder / "report.html")
    write_plots(make_plots([folder], ("front", "training")), folder)
    written = {path.name for path in set(folder.iterdir()) - before}
    assert len(written) >= 12
    assert [name for name in written if not (is_taken(name) or name.startswith("."))] == []
    files = {path.name for run in runs for path in run.iterdir() if path.is_file()}
    assert [name for name in files if not (is_taken(name) or name.startswith("."))] == []
    assert is_taken("study.json")
    assert not any(is_taken(path.name) for path in before if path.is_dir())


def test_every_kind_of_picture_is_in_the_list():
    assert set(PICTURES) == set(KINDS)


@pytest.mark.parametrize("name", TAKEN)
def test_a_variant_of_such_a_name_is_refused_before_anything_is_trained(recipe, name):
    path = recipe('name = "pgd-at"', f'name = "{name}"')
    with pytest.raises(RecipeError) as refused:
        study.plan(path)
    named = f'"{name}"' if "." in name else name
    assert refused.value.where == f"{path}, variant.{named}.name"
    assert refused.value.message == (
        f"the variant {name!r} cannot be a folder: moat uses that name for its own output."
    )
    assert refused.value.hint == (
        "Give it another name. A study has the name of its recipe's file."
    )


@pytest.mark.parametrize("name", TAKEN)
def test_so_is_a_study_and_a_model(recipe, tmp_path, name):
    path = recipe(name=f"{name}.toml")
    with pytest.raises(RecipeError, match="cannot be a folder: moat uses that name"):
        study.plan(path)
    with pytest.raises(RecipeError, match="cannot be a folder: moat uses that name"):
        read_protocol(path)
    with pytest.raises(MoatError) as refused:
        evaluate_model("tiny-cnn", recipe(), name=name, results=tmp_path)
    assert refused.value.where == "--name"
    assert refused.value.message == (
        f"{name!r} cannot be a folder: moat uses that name for its own output."
    )


@pytest.mark.parametrize("name", FREE)
def test_other_names_are_free(recipe, name):
    assert not is_taken(name)
    study.plan(recipe('name = "pgd-at"', f'name = "{name}"', name=f"{name}.toml"))
