import csv
import json

import numpy as np
import pytest

from moat.errors import RunFolderError
from moat.report import make_fronts, make_scoreboards, write_front, write_report
from moat.report.manifest import REPORT_MANIFEST

SCORES = (10, 20, 30, 40)


def lines_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_one_group_gives_four_files(study):
    report = make_fronts(study)
    paths = write_front(report, study)
    assert [path.name for path in paths] == ["front.csv", "front.json", "front.png", "front.svg"]
    assert all(path.parent == study and path.stat().st_size for path in paths)


def test_several_groups_are_numbered_and_files_of_an_earlier_report_go(study, write):
    write_front(make_fronts(study), study)
    (study / "frontier.csv").write_text("another's")
    write(study / "z" / "natural", "natural", 90, SCORES, data={"type": "mnist"})
    paths = write_front(make_fronts(study), study)
    assert [path.stem for path in paths] == ["front-1"] * 4 + ["front-2"] * 4
    assert sorted(path.name for path in study.glob("front*.csv")) == [
        *("front-1.csv", "front-2.csv", "frontier.csv")
    ]


def test_the_folder_is_made_where_it_is_missing(study, tmp_path):
    folder = tmp_path / "new" / "folder"
    assert all(path.exists() for path in write_front(make_fronts(study), folder))


def test_a_folder_that_cannot_be_written_is_named(study, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunFolderError, match=r"file.*: cannot write"):
        write_front(make_fronts(study), tmp_path / "file")


def test_a_picture_that_cannot_be_written_is_named(study, tmp_path):
    (tmp_path / "out" / "front.png").mkdir(parents=True)
    with pytest.raises(RunFolderError, match=r"front.png: cannot write"):
        write_front(make_fronts(study), tmp_path / "out")


def test_no_temporary_file_stays(study, tmp_path):
    write_front(make_fronts(study), tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"front.csv", "front.json", "front.png", "front.svg", REPORT_MANIFEST}


def test_the_csv_holds_every_run_at_full_precision(study):
    (front,) = make_fronts(study).fronts
    write_front(make_fronts(study), study)
    lines = lines_of(study / "front.csv")
    assert [line["name"] for line in lines] == [setting.name for setting in front.settings]
    assert list(lines[0])[:5] == ["name", "study", "variant", "sweep.scalarizer.r", "seed"]
    for line, setting in zip(lines, front.settings, strict=True):
        (row,) = setting.rows
        assert float(line["universal"]) == row.universal
        assert float(line["sacrificed"]) == row.sacrificed
        assert float(line["scores.pgd"]) == row.point.scores["pgd"]
        assert float(line["conditional.rt"]) == row.point.conditional["rt"]
        assert float(line["accuracy.flow.4"]) == row.point.accuracy["flow"]["4"]
    natural = next(line for line in lines if line["name"] == "natural")
    assert (natural["sweep.scalarizer.r"], natural["on_front"], natural["dominated_by"]) == (
        *("", "True", ""),
    )
    loser = next(line for line in lines if line["name"] == "max-at")
    assert (loser["on_front"], loser["dominated_by"]) == ("False", "pareto r=1.8")
    assert loser["baseline"] == "natural"


def test_the_json_holds_what_the_front_was_made_of(study):
    (study / "pgd-at" / "plain" / "seed-0" / "run.json").write_text("")
    report = make_fronts(study)
    (front,) = report.fronts
    write_front(report, study)
    told = json.loads((study / "front.json").read_text("utf-8"))
    assert told["data"] == {"type": "digits", "size": 16}
    assert told["protocol_hash"] == "0123456789abcdef"
    assert told["protocol"] == front.group.protocol.as_table()
    assert told["hypervolume"] == front.hypervolume
    points = {"unit": "percentage points"}
    assert told["objectives"] == [
        {"name": "universal score", **points, "maximised": True, "reference": 0.0},
        {"name": "sacrificed natural accuracy", **points, "maximised": False, "reference": 100.0},
    ]
    assert told["skipped"] == report.skipped
    assert any(note.startswith("Hypervolume") for note in told["notes"])
    runs = {run["name"]: run for run in told["runs"]}
    assert runs["pareto r=0.5"]["sweep"] == {"scalarizer.r": 0.5}
    assert runs["pareto r=0.5"]["folder"] == "pareto/r=0.5/seed-0"
    assert runs["pareto r=0.5"]["baseline"] == ["natural"]
    assert runs["max-at"]["dominated_by"] == "pareto r=1.8"
    assert [run["on_front"] for run in told["runs"]] == front.members.tolist()


def test_a_run_of_several_seeds_has_its_own_place_beside_that_of_its_setting(tmp_path, write):
    """Of any runs: one is flagged where no other run dominates it, and its setting by the means."""
    generator = np.random.default_rng(0)
    for variant in "abc":
        for seed in range(3):
            natural, pgd = 100 * generator.random(2)
            folder = tmp_path / f"{variant}{seed}"
            write(folder, variant, natural, (pgd, 0, 0, 0), seed=seed)
    report = make_fronts(tmp_path, objectives=("natural", "pgd"))
    write_front(report, tmp_path)
    told = json.loads((tmp_path / "front.json").read_text("utf-8"))
    points = {run["name"]: (run["natural"], run["scores"]["pgd"]) for run in told["runs"]}
    settings = {setting["name"]: setting["on_front"] for setting in told["settings"]}
    for run in told["runs"]:
        one = np.array(points[run["name"]])
        above = [n for n, other in points.items() if (other >= one).all() and (other > one).any()]
        assert run["on_front"] == (not above)
        assert run["dominated_by"] in (above or [None])
        assert run["setting_on_front"] == settings[run["setting"]]
        assert (run["setting_dominated_by"] is None) == run["setting_on_front"]
    assert len({run["on_front"] == run["setting_on_front"] for run in told["runs"]}) == 2
    rows = {row["name"]: row for row in lines_of(tmp_path / "front.csv")}
    for run in told["runs"]:
        for key in ("on_front", "setting_on_front"):
            assert rows[run["name"]][key] == str(run[key])


def test_what_is_undefined_is_null_in_json_and_empty_in_csv(tmp_path, write):
    write(tmp_path / "a", "max-at", 0, (0, 0, 0, 0))  # nothing is classified correctly
    write_front(make_fronts(tmp_path), tmp_path)
    (run,) = json.loads((tmp_path / "front.json").read_text("utf-8"))["runs"]
    assert run["conditional"] == {"pgd": None, "flow": None, "rt": None, "integrated": None}
    assert (run["universal"], run["sacrificed"], run["baseline"]) == (None, None, [])
    (line,) = lines_of(tmp_path / "front.csv")
    assert (line["conditional.pgd"], line["universal"]) == ("", "")


def test_a_report_of_the_same_runs_has_the_same_bytes(study, tmp_path):
    first, second = (write_front(make_fronts(study), tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_scoreboard_gives_markdown_and_csv(study, tmp_path):
    paths = write_report(make_scoreboards(study), tmp_path / "new" / "folder")
    assert [path.name for path in paths] == ["report.md", "report.csv"]
    assert paths[0].read_text("utf-8").startswith("# digits_pareto on digits (size 16)\n")
    assert len(lines_of(paths[1])) == 14 * 8


def test_a_report_names_what_could_not_be_read_in_its_notes_and_not_in_its_csv(study):
    (study / "max-at" / "plain" / "seed-0" / "run.json").write_text("")
    (study / "pgd-at" / "plain" / "seed-0" / "recipe.toml").write_text("[")
    markdown, table = write_report(make_scoreboards(study), study)
    told = markdown.read_text("utf-8").splitlines()
    assert told[-2].startswith(f"- skipped: {study / 'max-at/plain/seed-0/run.json'}: ")
    assert told[-1].startswith(f"- not compared: {study / 'pgd-at/plain/seed-0/recipe.toml'}: ")
    said = table.read_text("utf-8")
    assert [part in said for part in ("max-at", "pgd-at", "skipped")] == [False, True, False]


def test_scoreboards_are_numbered_and_those_of_an_earlier_report_go(study, write):
    write_front(make_fronts(study), study)
    (study / "report-notes.md").write_text("another's")
    other = write(study / "z" / "natural", "natural", 90, SCORES, data={"type": "mnist"})
    paths = write_report(make_scoreboards(study), study)
    assert [path.name for path in paths] == [
        *("report-1.md", "report-1.csv", "report-2.md", "report-2.csv")
    ]
    other.clear()
    write_report(make_scoreboards(study), study)
    assert sorted(path.name for path in study.glob("*.*") if path.is_file()) == [
        REPORT_MANIFEST,
        *("front.csv", "front.json", "front.png", "front.svg"),
        *("report-notes.md", "report.csv", "report.md"),
    ]


def test_a_scoreboard_that_cannot_be_written_is_named(study, tmp_path):
    (tmp_path / "out" / "report.md").mkdir(parents=True)
    with pytest.raises(RunFolderError, match=r"report.md: cannot write"):
        write_report(make_scoreboards(study), tmp_path / "out")


def test_a_scoreboard_of_the_same_runs_has_the_same_bytes(study, tmp_path):
    first, second = (write_report(make_scoreboards(study), tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
