"""`moat analyze`, as a user types it."""

import csv
import json
import re
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import pytest

from moat.errors import MoatError
from moat.runs import read_analysis

STUDY = Path("results", "study")
PLAIN, PGD_AT = STUDY / "plain" / "seed-0", STUDY / "pgd-at" / "seed-0"


@pytest.fixture
def runs(trained, recipe):
    return trained(recipe(), "plain", "pgd-at")


def test_a_study_is_analysed_into_its_own_folder(moat, runs):
    answer = moat("analyze", "transfer", STUDY)
    assert (answer.code, answer.err) == (0, "")
    out = STUDY / "analysis"
    endings = ("json", "npz", "csv", "png", "svg")
    assert answer.out.splitlines()[-5:] == [f"wrote {out}/transfer.{end}" for end in endings]
    found = read_analysis(out / "transfer.json")
    assert [one.name for one in found.subjects] == ["plain", "pgd-at"]
    assert [one.run for one in found.subjects] == ["../plain/seed-0", "../pgd-at/seed-0"]
    assert all(set(one.identity) == {"weights", "data", "train_hash"} for one in found.subjects)
    rows = list(csv.DictReader((out / "transfer.csv").read_text().splitlines()))
    assert {row["unit"] for row in rows} == {"%", "percentage points"}
    accuracy = [row for row in rows if row["quantity"] == "accuracy"]
    assert len(accuracy) == found["accuracy"].size
    assert float(accuracy[1]["value"]) == found["accuracy"][0, 0, 1]
    assert not (out / ".parts").exists()


def test_the_same_analysis_gives_the_same_files(moat, runs):
    moat("analyze", "transfer", PLAIN, PGD_AT, "--out", "a", "--format", "png,svg,pdf")
    moat("analyze", "transfer", PLAIN, PGD_AT, "--out", "b", "--format", "png,svg,pdf")
    files = {path.name: path.read_bytes() for path in Path("a").iterdir()}
    assert {path.name: path.read_bytes() for path in Path("b").iterdir()} == files
    assert sorted(name for name in files if not name.startswith(".")) == [
        f"transfer.{ending}" for ending in ("csv", "json", "npz", "pdf", "png", "svg")
    ]
    assert b"/Type3" not in files["transfer.pdf"]


def test_files_of_another_name_stand_beside_the_first(moat, runs):
    moat("analyze", "transfer", STUDY, "--as", "first", "--threats", "flow")
    answer = moat("analyze", "transfer", STUDY, "--threats", "pgd", "--format", "pdf")
    assert answer.code == 0
    out = STUDY / "analysis"
    assert read_analysis(out / "first.json").coordinates("threat") == ["flow"]
    assert read_analysis(out / "transfer.json").coordinates("threat") == ["pgd"]
    assert (out / "transfer.pdf").exists()
    assert not (out / "transfer.png").exists()


def test_an_analysis_is_on_the_page_in_the_frames_and_in_a_bundle(moat, runs):
    import moat as library

    moat("analyze", "transfer", STUDY, "--threats", "pgd", "--format", "pdf")
    found = library.results(STUDY).analyses
    assert list(found) == ["analysis/transfer"]
    assert found["analysis/transfer"].coordinates("threat") == ["pgd"]
    assert list(library.results("results").groups[0].analyses) == ["study/analysis/transfer"]
    assert moat("report", STUDY, "--html", "page.html").code == 0
    page = Path("page.html").read_text("utf-8")
    assert '<h2 id="analyses">Analyses</h2>' in page
    assert page.count('<img class="analysis" src="data:image/png;base64,') == 1
    assert moat("bundle", STUDY, "study.zip").code == 0
    carried = library.results("study.zip").analyses["analysis/transfer"]
    assert carried.header() == found["analysis/transfer"].header()
    assert any(name.endswith("analysis/transfer.pdf") for name in ZipFile("study.zip").namelist())
    (STUDY / "analysis" / "transfer.npz").write_bytes(b"")
    answer = moat("report", STUDY, "--html", "page.html")
    assert answer.code == 0
    with pytest.raises(MoatError, match="the arrays of the analysis are not those of its record"):
        _ = library.results(STUDY).analyses


def test_examples_and_their_film_are_written(moat, runs):
    words = ("analyze", "examples", PLAIN, "--threats", "pgd,flow", "--examples", 2)
    answer = moat(*words, "--animate", "--format", "gif")
    assert (answer.code, answer.err) == (0, "")
    found = read_analysis(PLAIN / "analysis" / "examples.json")
    ids = found["example"].tolist()
    assert found["film"].shape[:4] == (1, 2, 3, 2)
    assert (PLAIN / "analysis" / "examples.gif").exists()
    answer = moat("analyze", "examples", PLAIN, "--ids", ids[1], "--format", "svg")
    assert answer.code == 0
    assert read_analysis(PLAIN / "analysis" / "examples.json")["example"].tolist() == ids[1:]
    assert not (PLAIN / "analysis" / "examples.gif").exists()


def test_spectra_are_written(moat, runs):
    answer = moat("analyze", "frequency", PLAIN, "--threats", "flow", "--format", "svg")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("mean frequency of natural on plain: 0.")
    found = read_analysis(PLAIN / "analysis" / "frequency.json")
    assert found.coordinates("signal") == ["natural", "flow"]


def test_a_model_that_moat_did_not_train_stands_beside_runs(moat, runs, tmp_path):
    (tmp_path / "nets.py").write_text(
        "import torch\n"
        "def linear():\n"
        "    torch.manual_seed(0)\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))\n"
    )
    answer = moat(
        *("analyze", "transfer", PLAIN, "--model", "python:nets:linear"),
        *("--name", "mine", "--threats", "pgd"),
    )
    assert (answer.code, answer.err) == (0, "")
    found = read_analysis(PLAIN / "analysis" / "transfer.json")
    assert [(one.name, bool(one.run)) for one in found.subjects] == [
        ("plain", True),
        ("mine", False),
    ]


def test_ctrl_c_loses_no_finished_model(moat, runs, monkeypatch):
    home, rows = import_module("moat.analysis.transfer"), []
    whole = home._row

    def row(*arguments):
        if len(rows) == 1:
            rows.append("interrupted")
            raise KeyboardInterrupt
        rows.append("done")
        return whole(*arguments)

    monkeypatch.setattr(home, "_row", row)
    answer = moat("analyze", "transfer", STUDY)
    assert answer.code == 130
    assert answer.err == (
        "\nInterrupted. Finished parts are kept; continue with:\n"
        "  moat analyze transfer results/study\n"
    )
    assert list((STUDY / "analysis").glob(".parts/*/*.npz"))
    assert moat("analyze", "transfer", STUDY).code == 0
    assert rows == ["done", "interrupted", "done"]
    assert not (STUDY / "analysis" / ".parts").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            [],
            "--out: a run gives the analysis its folder, and none is named.\n"
            "  Name a folder with --out.\n",
        ),
        (
            ["--out", "x"],
            "neither a run nor a model is named.\n  runs, under their own protocol: ",
        ),
        ([PLAIN], "models: transfer needs two models or more, not 1.\n"),
        (
            [STUDY, "--threats", "flwo"],
            "threats: the protocol evaluates no threat labelled 'flwo'. Did you mean 'flow'?\n"
            "  evaluated: pgd, flow\n",
        ),
        (
            [STUDY, "--format", "pgn"],
            "--format: no picture is written as 'pgn'. Did you mean 'png'?\n"
            "  known: png, svg, pdf\n",
        ),
        ([STUDY, "--as", "a/b"], "--as: 'a/b' cannot be the name of files: "),
        ([STUDY, "--checkpoint", "x.pt"], "--checkpoint needs --model.\n"),
        ([STUDY, "--set", "a=1"], "--set needs --protocol.\n"),
        (["nowhere"], "nowhere: "),
        (
            ["--model", "tiny-cnn", "--out", "x"],
            "protocol: a model that moat did not train has no protocol of its own.\n",
        ),
        (
            [PLAIN, "--model", "tiny-cnn", "--name", "plain"],
            "--name: a run is called 'plain' as well.\n  Give the model another.\n",
        ),
    ],
)
def test_bad_input_exits_with_2_and_the_mend(moat, runs, words, message):
    answer = moat("analyze", "transfer", *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--ids", "99999"],
            "examples: the test set has no example 99999: its 359 ids lie between ",
        ),
        (
            ["--examples", 41],
            "examples: 41 examples are wanted, and the protocol evaluates 40.\n  Ask ",
        ),
        (["--ids", 3, "--examples", 2], "--examples: --ids names the test examples, so their "),
        (["--ids", 3, "--seed", 4], "--seed: --ids names the test examples, so none is drawn.\n"),
        (["--as", ""], "--as: the files have no name.\n  Name them, or leave --as out: "),
        (
            ["--format", "gif"],
            "--format: a film is written as gif, and this call makes none.\n"
            "  moat analyze examples RUN --animate makes one.\n",
        ),
    ],
)
def test_examples_that_are_not_there_exit_with_2_and_the_mend(moat, runs, words, message):
    answer = moat("analyze", "examples", PLAIN, *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(message)


def test_runs_on_other_data_are_refused(moat, trained, recipe):
    (first,) = trained(recipe(), "plain")
    other = recipe('type = "digits"', 'type = "digits"\nsize = 10', name="second.toml")
    (second,) = trained(other, "pgd-at")
    answer = moat("analyze", "transfer", first, second, "--out", "x")
    assert answer.code == 2
    assert re.fullmatch(
        rf"{second}: the run 'pgd-at' was tested on other data than this analysis: "
        r"digest: .\w{16}. → .\w{16}.; size: 8 → 10.\n"
        r"  Name runs on the same data, or a --protocol on the run's own.\n",
        answer.err,
    )


def test_runs_under_different_protocols_are_refused(moat, trained, recipe):
    (first,) = trained(recipe(), "plain")
    (second,) = trained(recipe("examples = 40", "examples = 30", name="second.toml"), "pgd-at")
    answer = moat("analyze", "transfer", first, second, "--out", "x")
    assert answer.code == 2
    assert answer.err == (
        f"{second}: the runs were evaluated under different protocols: examples: 40 "
        "→ 30.\n  Name one for all of them: --protocol FILE\n"
    )
    answer = moat("analyze", "transfer", first, second, "--out", "x", "--protocol", recipe())
    assert answer.code == 0
    assert json.loads(Path("x/transfer.json").read_text())["settings"]["examples"] == 40
