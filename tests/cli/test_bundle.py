"""`moat bundle`, and every command that reads results from a bundle as from its folder."""

import json
import re
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from moat import results
from moat.errors import MoatError
from moat.runs.bundle import MANIFEST


@pytest.fixture
def demo(golden, moat, tmp_path) -> Path:
    """Two runs of the demo and a bundle of them, in the working folder."""
    for run in ("max-at", "average-at"):
        shutil.copytree(golden / "demo" / run, tmp_path / "demo" / run)
    Path("there").mkdir()
    answer = moat("bundle", "demo", "there/demo.zip")
    assert re.fullmatch(
        r"wrote there/demo\.zip: 2 runs, 0\.\d MB, without weights\n", answer.out
    ), answer
    return Path("demo")


COMMANDS = [
    ["front", "{}"],
    ["front", "{}", "--format", "json"],
    ["front", "{}", "--against", "{}", "--prefer", "natural=0.5,pgd=0.5", "--format", "csv"],
    ["score", "{}"],
    ["score", "{}/max-at", "--baseline", "{}/average-at/seed-0", "--json"],
    ["score", "{}/max-at/seed-0", "--format", "csv"],
    ["compare", "{}/max-at/seed-0", "{}/average-at", "--out", "out"],
    ["compare", "{}/max-at/seed-0", "{}/average-at", "--json"],
    ["report", "{}"],
    ["report", "{}", "--format", "markdown"],
    ["watch", "{}"],
    ["plot", "{}", "--kind", "radar", "--out", "out"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_says_of_a_bundle_what_it_says_of_the_folder(moat, demo, command):
    of_folder = moat(*(word.format("demo") for word in command))
    of_bundle = moat(*(word.format("there/demo.zip") for word in command))
    assert (of_folder.code, of_bundle.code) == (0, 0), of_bundle
    told = of_bundle.out.replace("there/demo-reports", "demo").replace("there/demo.zip", "demo")
    assert told == of_folder.out or squeezed(told) == squeezed(of_folder.out)
    assert tempfile.gettempdir() + "/moat-" not in of_bundle.out + of_bundle.err


def squeezed(table: str) -> str:
    """Return a table without its lines and spaces, whose lengths follow those of the paths."""
    return re.sub(r"[\s─]+", " ", table)


LEAKS = [
    ["front", "{}", "--against", "{}", "--prefer", "natural=0.5,pgd=0.5", "--out", "out"],
    *(
        ["front", "{}", "--against", "{}", "--prefer", "natural=1", "--format", form]
        for form in ("json", "csv", "markdown", "latex")
    ),
    ["front", "{}", "--objectives", "natural,nosuch"],
    ["front", "{}", "--prefer", "natural=1,total=1", "--merge"],
    *(
        ["score", "{}", "--baseline", "{}/average-at/seed-0", "--format", form]
        for form in ("table", "json", "csv", "markdown", "latex")
    ),
    ["score", "{}", "--union", "pgd,nosuch"],
    *(
        ["compare", "{}/max-at/seed-0", "{}/average-at", "--out", "out", "--format", form]
        for form in ("table", "json", "csv", "markdown", "latex")
    ),
    ["compare", "{}", "{}/max-at"],
    ["compare", "{}/max-at", "{}/max-at/seed-0"],
    ["report", "{}", "--html", "page.html", "--rival", "{}", "--prefer", "natural=1"],
    ["report", "{}", "--against", "{}", "--out", "out"],
    *(["report", "{}", "--against", "{}", "--format", form] for form in ("json", "markdown")),
    ["plot", "{}", "--out", "out"],
    ["watch", "{}", "--once"],
    ["bundle", "{}", "x.zip"],
]


@pytest.mark.parametrize("broken", ["", "run.json", "validation.npz", "log.jsonl", "gallery.npz"])
def test_no_output_names_the_folder_where_a_bundle_was_unpacked(
    moat, demo, tmp_path, broken, monkeypatch
):
    home = tmp_path / "unpacked-here"
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    name = "it's <b> & ü.zip"
    if broken:
        with_broken(Path("there/demo.zip"), Path(name), f"max-at/seed-0/{broken}")
    else:
        shutil.copy("there/demo.zip", name)
    for command in LEAKS if not broken else [one for one in LEAKS if one[0] != "plot"][::3]:
        answer = moat(*(word.format(name) for word in command))
        files = [path for path in Path().rglob("*") if path.is_file() and home not in path.parents]
        made = [path for path in files if path.suffix in (".json", ".csv", ".md", ".html", ".svg")]
        for text in (answer.out, answer.err, *(path.read_text("utf-8") for path in made)):
            assert home.name not in text, command
    with pytest.raises(MoatError) as refused:
        results(name).front(prefer={"natural": 1}, objectives=["natural", "nosuch"])
    assert home.name not in str(refused.value)
    assert not results(name).runs["folder"].str.contains(home.name).any()


def with_broken(file: Path, to: Path, place: str) -> None:
    """Write a bundle in which one file of a run is not moat's, and the manifest says so."""
    shutil.unpack_archive(file, "unpacked")
    manifest = json.loads(Path("unpacked", MANIFEST).read_text("utf-8"))
    content = b"{"
    listed = {"size": len(content), "sha256": sha256(content).hexdigest()}
    manifest["files"][f"demo/{place}"] = listed
    Path("unpacked/demo", place).write_bytes(content)
    Path("unpacked", MANIFEST).write_text(json.dumps(manifest), "utf-8")
    with ZipFile(to, "w") as made:
        for path in sorted(Path("unpacked").rglob("*")):
            if path.is_file():
                made.write(path, path.relative_to("unpacked").as_posix())
    shutil.rmtree("unpacked")


def test_what_is_made_of_a_bundle_goes_beside_it_and_never_into_it(moat, demo):
    before = Path("there/demo.zip").read_bytes()
    assert moat("front", "there/demo.zip").code == 0
    assert moat("report", "there/demo.zip", "--html", "page.html").code == 0
    assert moat("plot", "there/demo.zip", "--kind", "parallel").code == 0
    assert sorted(path.name for path in Path("there").iterdir()) == ["demo-reports", "demo.zip"]
    made = {path.name for path in Path("there/demo-reports").iterdir()}
    assert made >= {"front.csv", "report.md", "figures"}
    assert Path("there/demo.zip").read_bytes() == before
    assert tempfile.gettempdir() + "/moat-" not in Path("page.html").read_text("utf-8")
    assert "there/demo.zip" in Path("page.html").read_text("utf-8")


def test_a_run_that_two_of_the_folders_hold_counts_once_and_it_is_said(moat, demo):
    answer = moat("front", "demo", "there/demo.zip", "--out", "out")
    assert answer.err == (
        "skipped: there/demo.zip/average-at/seed-0: the same run as demo/average-at/seed-0, and so "
        "are 1 more of its runs. Each counts once.\n"
    )
    alone = moat("front", "demo", "--out", "out")
    assert answer.out.replace("demo/", "") == alone.out.replace("demo/", "")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["evaluate", "there/demo.zip"], "an evaluation is kept beside its run, and a bundle"),
        (
            ["evaluate", "there/demo.zip", "--protocol", "p.toml", "--results", "out"],
            "the bundle has no weights",
        ),
        (["bundle", "demo", "there/demo.zip"], "a file of this name exists"),
        (["bundle", "there/demo.zip", "x.zip"], "a bundle is made from a folder"),
        (["front", "there/demo.zip/nosuch"], "the bundle has no folder 'nosuch'"),
        (["score", "demo/max-at/seed-0/run.json"], "Name its folder: demo/max-at/seed-0"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(moat, demo, command, why):
    answer = moat(*command)
    assert answer.code == 2
    assert why in answer.err
    assert answer.err.count("\n  ") >= 1


def test_a_bundle_with_weights_is_judged_under_another_protocol_elsewhere(
    moat, recipe, trained, tmp_path
):
    trained(recipe(), "plain", "pgd-at", at=tmp_path / "results")
    assert "with weights" in moat("bundle", "results/study", "b.zip", "--weights").out
    shutil.rmtree("results")
    words = ["--protocol", "study.toml", "--set", "evaluation.seed=1", "--device", "cpu"]
    answer = moat("evaluate", "b.zip/plain", *words)
    assert (answer.code, "--results FOLDER" in answer.err) == (2, True)
    answer = moat("evaluate", "b.zip/plain", *words, "--results", "mine")
    assert answer.code == 0, answer.err
    (record,) = Path("mine").rglob("run.json")
    said = record.read_text("utf-8")
    assert '"of": "../b.zip/plain/seed-0"' in said
    assert "moat-" not in said.replace("moat-test", "")
    assert str(tmp_path) not in said
    again = moat("evaluate", "b.zip/plain", *words, "--results", "mine")
    assert "evaluated before" in again.out
