"""The commands, as a user types them."""

import json
import re
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from moat.runs import RunFolder
from moat.version import __version__

PLAIN = Path("results", "study", "plain", "seed-0")
PGD_AT = Path("results", "study", "pgd-at", "seed-0")
DONE = "{} run(s) done, {} skipped as finished, {} failed.\n"
NEXT = "Next: moat front {0}\n      moat report {0}\n"


def done(runs: int, skipped: int = 0, failed: int = 0, results: str = "results/study") -> str:
    finished = runs or skipped
    return DONE.format(runs, skipped, failed) + (NEXT.format(results) if finished else "")


# moat train


def test_training_says_each_run_in_plain_lines(moat, recipe):
    answer = moat("train", recipe(), "--only", "plain", "--only", "pgd-at")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines(keepends=True)
    assert lines[0] == f"[1/2] plain, seed 0: {PLAIN}\n"
    assert lines[1] == "  evaluation: up to 1 MiB besides network and data, passes of 128\n"
    assert re.fullmatch(r"  done: natural \d+\.\d  pgd \d+\.\d  flow \d+\.\d  union .*\n", lines[2])
    assert re.fullmatch(rf"\[2/2\] pgd-at, seed 0: {PGD_AT}(; about .* left in total)?\n", lines[3])
    assert "".join(lines[-3:]) == done(2)
    assert "\x1b" not in answer.out


def test_training_again_skips_what_is_finished(moat, recipe, trained):
    path = recipe()
    trained(path, "plain")
    answer = moat("train", path, "--only", "plain")
    assert answer.out == "[1/1] plain, seed 0: already finished\n" + done(0, 1)
    assert answer.code == 0


def test_results_are_kept_where_the_command_runs_or_where_it_says(moat, recipe, tmp_path):
    moat("train", recipe(name="deep/study.toml"), "--only", "plain")
    assert (tmp_path / PLAIN / "run.json").exists()
    answer = moat("train", recipe(), "--only", "plain", "--results", "my results")
    assert answer.out.endswith(done(1, results="'my results/study'"))
    assert (tmp_path / "my results" / "study" / "plain" / "seed-0" / "run.json").exists()


def test_a_seed_is_picked(moat, recipe):
    path = recipe("[data]", "seeds = [0, 1, 2]\n[data]")
    answer = moat("train", path, "--only", "plain", "--seed", 1, "--seed", 2)
    assert answer.out.endswith(done(2))
    assert not PLAIN.exists()


def test_set_reaches_everything_and_has_a_folder_of_its_own(moat, recipe):
    path = recipe()
    answer = moat(
        *("train", path, "--only", "pgd-at", "--set", "threats.pgd.train.epsilon=0.2"),
        *("--set", "model.width=3"),
    )
    (folder,) = Path("results").glob("study+*")
    assert re.fullmatch(r"study\+[0-9a-f]{8}", folder.name)
    assert answer.out.endswith(done(1, results=str(folder)))
    trains = RunFolder(folder / "pgd-at" / "seed-0").read_record().trains
    assert (trains["threats"]["pgd"]["epsilon"], trains["model"]["width"]) == (0.2, 3)


def test_a_recipe_that_is_wrong_exits_with_2(moat, recipe):
    path = recipe("epsilon = 0.1", "epsilon = -0.1")
    answer = moat("train", path)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"{path}, threats.pgd.epsilon: should be greater than 0, not -0.1.\n"
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "parto"], "the study has no variant 'parto'. Did you mean 'pareto'?"),
        (["--seed", "7"], "the study has no seed 7.\n  known: 0"),
        (["--set", "epsilon"], "--set epsilon: write an override as key=value, with a"),
        (["--set", "model.widht=3"], "--set model.widht=3, model.widht: unknown key. Did you mean"),
    ],
)
def test_an_option_that_is_wrong_exits_with_2_and_says_what(moat, recipe, options, message):
    answer = moat("train", recipe(), *options)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert not Path("results").exists()


def test_event_files_are_written_where_they_are_asked_for(moat, recipe, trained):
    pytest.importorskip("tensorboard")
    path = recipe()
    trained(path, "plain")
    assert not (PLAIN / "tensorboard").exists()
    answer = moat("train", path, "--only", "plain", "--only", "pgd-at", "--tensorboard")
    assert (answer.code, answer.err) == (0, "")
    for run in (PLAIN, PGD_AT):  # finished before, and trained now
        assert list((run / "tensorboard").glob("events.out.tfevents.*"))


def test_event_files_without_tensorboard_are_refused_before_anything_is_trained(
    moat, recipe, monkeypatch
):
    monkeypatch.setattr("moat.study.tensorboard.find_spec", lambda name: None)
    answer = moat("train", recipe(), "--tensorboard")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "event files need the package tensorboard, which is not installed.\n"
        "  pip install tensorboard\n"
    )
    assert not Path("results").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["train"],
        ["tarin", "study.toml"],
        ["train", "study.toml", "--bogus"],
        ["train", "study.toml", "--device", "tpu"],
        ["train", "study.toml", "--seed", "one"],
        ["train", "study.toml", "another.toml"],
        ["list"],
        ["list", "nonsense"],
        ["evaluate"],
        ["front"],
        ["report"],
        ["report", "results", "--recipe"],
    ],
)
def test_a_command_that_cannot_be_understood_exits_with_2(moat, recipe, arguments):
    recipe()
    assert moat(*arguments).code == 2


def test_a_run_that_failed_exits_with_1_and_the_others_went_on(moat, recipe):
    path = recipe("[0.5, 1.0]", '[0.5], "optimizer.lr" = [1e30, 0.1]')
    answer = moat("train", path, "--only", "pareto")
    folder = Path("results", "study", "pareto", "r=0.5,lr=1e+30", "seed-0")
    assert answer.code == 1
    assert answer.err.startswith(
        f"failed: {folder}, step 2: the loss of the objective 'natural' is no longer finite"
    )
    assert "  A lower learning rate is the usual mend.\n" in answer.err
    assert "  FAILED pareto r=0.5 lr=1e+30, seed 0: the loss of the objective" in answer.out
    assert answer.out.endswith(done(1, failed=1))


def test_a_run_that_was_trained_otherwise_exits_with_1_beside_others_and_overwrite_trains_it(
    moat, recipe, trained
):
    trained(recipe(), "plain", "pgd-at")
    path = recipe("steps = 1\n", "steps = 2\n")
    assert moat("train", path, "--only", "pgd-at").code == 2
    answer = moat("train", path, "--only", "plain", "--only", "pgd-at")
    assert answer.code == 1
    assert answer.err == (
        f"failed: {PGD_AT}: the folder contains a run with other training settings: "
        f"threats.pgd.steps: "
        "1 → 2.\n  Nothing was overwritten. Name another --results folder, undo the change, or "
        "train this run again with --overwrite.\n"
    )
    answer = moat("train", path, "--only", "plain", "--only", "pgd-at", "--overwrite")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.endswith(done(1, 1))


def test_what_fails_all_runs_is_said_once(moat, recipe, tmp_path):
    path = recipe('"digits"', '"mnist"\nroot = "nowhere"')
    answer = moat("train", path, "--only", "plain", "--only", "pgd-at")
    assert answer.code == 2
    first, second, error, mend = answer.err.splitlines()
    assert (first, second) == (f"failed: {PLAIN}", f"failed: {PGD_AT}")
    assert error.startswith(f"  {path}, data: no readable MNIST in {str(tmp_path / 'nowhere')!r}")
    assert mend.startswith("    Put the IDX files under MNIST/raw there, name another folder with")
    assert answer.out.endswith(done(0, failed=2))
    assert "Next:" not in answer.out


def test_a_results_folder_that_cannot_be_written_exits_with_2(moat, recipe):
    path = recipe()
    answer = moat("train", path, "--results", path / "below")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"{path / 'below' / 'study'}: cannot write: Not a directory.\n"
        "  Name a folder you may write to with --results.\n"
    )


def test_a_recipe_that_is_missing_exits_with_2(moat, recipe):
    recipe()
    answer = moat("train", "stduy.toml")
    assert answer.code == 2
    assert answer.err == "stduy.toml: this recipe does not exist. Did you mean 'study.toml'?\n"


# moat train --dry-run


def test_a_dry_run_lists_the_runs_with_their_passes_and_trains_nothing(moat, recipe, tmp_path):
    path = recipe()
    answer = moat("train", path, "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    cells = [
        re.split(r"\s{2,}", line.strip())
        for line in answer.out.splitlines()
        if re.search(r"\d+ s$", line.strip())
    ]
    assert [row[:7] for row in cells] == [  # seed, epochs, passes, search, descent, evaluation
        ["plain", "0", "1", "2", "0", "1", "6/3"],
        ["pgd-at", "0", "1", "4", "1", "1", "6/3"],
        ["pareto r=0.5", "0", "1", "10", "2", "3", "6/3"],
        ["pareto r=1.0", "0", "1", "10", "2", "3", "6/3"],
    ]
    assert "4 run(s), about " in answer.out
    assert "nothing was trained" in answer.out
    assert list(tmp_path.iterdir()) == [path]


def test_a_dry_run_lists_what_is_picked(moat, recipe):
    answer = moat("train", recipe(), "--dry-run", "--only", "plain", "--set", "training.epochs=77")
    assert "1 run(s), about " in answer.out
    assert re.search(r"plain\W+0\W+77\W", answer.out)


def test_a_dry_run_lists_what_is_worth_a_second_look(moat, recipe):
    path = recipe("epsilon = 0.1", "epsilon = 8")
    answer = moat("train", path, "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    table, _, below = answer.out.partition("\nWorth a second look (")
    assert "nothing was trained" in table
    where = f"  {path}, threats.pgd.epsilon: the radius 8 bounds nothing"
    assert where in below
    assert "\n    8 of 255 grey levels are 0.03137: give that.\n" in below
    answer = moat("train", path, "--only", "plain")
    assert f"worth a second look: {where.strip()}" in answer.out


def test_a_dry_run_needs_no_data(moat, recipe):
    answer = moat("train", recipe('"digits"', '"mnist"\nroot = "nowhere"'), "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert "4 run(s), time unknown without the data" in answer.out
    assert "study.toml, data: no readable MNIST in" in answer.out
    assert re.search(r"pgd-at +0 +1 +4 +1 +1 +6/3 +-[ -]*\n", answer.out)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"tiny-cnn"\nwidth = 4', '"small-cnn"', "study.toml, model: the model 'small-cnn' needs"),
        ("window = 3", "window = 0", "variant.pareto.scalarizer.window: should be greater than 0"),
        ("[model]", "validation = 0.999\n[model]", "study.toml, data: class 0 has 142"),
    ],
)
def test_a_dry_run_finds_what_would_fail(moat, recipe, old, new, message):
    answer = moat("train", recipe(old, new), "--dry-run")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert not Path("results").exists()


# moat evaluate


def test_runs_are_evaluated_again(moat, recipe, trained):
    trained(recipe(), "plain", "pgd-at")
    (PLAIN / "evaluation.npz").unlink()
    answer = moat("evaluate", PLAIN, PGD_AT)
    assert (answer.code, answer.err) == (0, "")
    first, second = [line for line in answer.out.splitlines() if not line.startswith("  ")]
    assert first.startswith(f"{PLAIN}: natural ")
    assert second.startswith(f"{PGD_AT}: natural ")
    assert (PLAIN / "evaluation.npz").exists()


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("nowhere", "the folder does not exist."),
        ("results/study", "the folder does not exist."),
        ("study.toml", "this is a recipe; a results folder is needed."),
        (".", "the folder has no finished run (no run.json)."),
    ],
)
def test_what_is_no_run_is_not_evaluated(moat, recipe, folder, why):
    recipe()
    answer = moat("evaluate", folder)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"{folder}: {why}")


# moat front


@pytest.fixture(scope="module")
def finished(shared_folder) -> Path:
    """A results folder with three finished runs."""
    from moat.study import train

    def fill(folder: Path) -> None:
        small = Path(__file__).parents[1] / "small.toml"
        recipe = folder / "study.toml"
        recipe.write_text(small.read_text("utf-8").replace("[0.5, 1.0]", "[0.5]"), "utf-8")
        train(recipe, results=folder / "results", device="cpu")

    return shared_folder("front", fill) / "results"


def test_a_front_is_shown_and_written(moat, finished, tmp_path):
    answer = moat("front", finished, "--out", "front")
    assert (answer.code, answer.err) == (0, "")
    assert "study on digits" in answer.out
    for name in ("plain", "pgd-at", "pareto", "Hypervolume"):
        assert name in answer.out
    written = [line.removeprefix("wrote ") for line in answer.out.splitlines()[-4:]]
    assert {Path(name).suffix for name in written} == {".csv", ".json", ".png", ".svg"}
    assert all((tmp_path / name).stat().st_size for name in written)


@pytest.mark.parametrize("name", ["run.json", "evaluation.npz", "evaluation.json"])
def test_a_run_with_a_broken_file_is_named_and_skipped(moat, recipe, name, trained):
    trained(recipe(), "plain", "pgd-at")
    (PLAIN / name).write_bytes((PLAIN / name).read_bytes()[:20])
    answer = moat("front", "results")
    assert answer.code == 0
    assert answer.err.startswith(f"skipped: {PLAIN / name}: the file is truncated or not moat's")
    assert "pgd-at" in answer.out
    assert "plain" not in answer.out


@pytest.mark.parametrize("command", ["front", "report"])
@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("nowhere", "the folder does not exist."),
        ("study.toml", "this is a recipe; a results folder is needed."),
    ],
)
def test_a_folder_that_is_missing_has_no_front_and_no_report(moat, recipe, command, folder, why):
    recipe()
    answer = moat(command, folder)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"{folder}: {why}\n")


@pytest.mark.parametrize("command", ["front", "report"])
def test_a_folder_without_a_finished_run_has_no_front_and_no_report(moat, tmp_path, command):
    answer = moat(command, tmp_path)
    assert answer.code == 2
    assert answer.err.startswith(f"{tmp_path}: this folder contains no finished run.")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_gets_no_front(moat, finished, recipe):
    answer = moat("front", finished, "--out", recipe() / "below")
    assert answer.code == 2
    assert "cannot write: Not a directory." in answer.err


# moat report


def published(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "paper.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_report_is_shown_and_written(moat, finished, tmp_path):
    answer = moat("report", finished, "--out", "scores")
    assert (answer.code, answer.err) == (0, "")
    assert "study on digits" in answer.out
    for name in ("plain", "pgd-at", "pareto", "universal", "r out of reach", "Sanity gate"):
        assert name in answer.out
    assert "published" not in answer.out
    written = [line.removeprefix("wrote ") for line in answer.out.splitlines()[-2:]]
    assert written == [str(Path("scores", name)) for name in ("report.md", "report.csv")]
    assert all((tmp_path / name).stat().st_size for name in written)


def test_a_report_is_a_page_too_where_that_is_asked_for(moat, finished, tmp_path):
    words = ("report", finished, "--out", "scores", "--html", Path("pages", "study.html"))
    answer = moat(*words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("pages/study.html: the folder 'pages' for it does not exist.")
    assert not Path("pages").exists()
    Path("pages").mkdir()
    answer = moat(*words)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == f"wrote {Path('pages', 'study.html')}"
    page = (tmp_path / "pages" / "study.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert f"moat evaluate {finished}" in page


@pytest.mark.parametrize(
    ("option", "said"), [("--html", "--html shows one protocol"), ("--recipe", "two reports")]
)
def test_another_protocol_is_a_report_of_its_own(moat, finished, option, said):
    answer = moat("report", finished, "--against", "results", option, "file")
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert not Path("file").exists()


def test_a_page_that_cannot_be_written_is_named(moat, finished, tmp_path):
    (tmp_path / "page.html").mkdir()
    answer = moat("report", finished, "--html", "page.html")
    assert answer.code == 2
    assert "page.html: it is a folder." in answer.err


def test_a_report_shows_what_the_recipe_states_or_another_one(moat, recipe, trained):
    figures = '\n[published]\nsource = "a paper"\nruns = {{ plain = {{ pgd = {} }} }}\n'
    path = recipe()
    path.write_text(path.read_text("utf-8") + figures.format(12.34), "utf-8")
    trained(path, "plain")
    answer = moat("report", "results")
    assert (answer.code, answer.err) == (0, "")
    assert re.search(r"^  published +12\.34 *$", answer.out, re.M)
    assert "published: a paper; difference: ours less theirs" in answer.out
    path.write_text(path.read_text("utf-8").replace("12.34", "56.78"), "utf-8")
    assert "12.34" in moat("report", "results").out  # the run keeps its recipe
    assert re.search(
        r"^  published +56\.78 *$", moat("report", "results", "--recipe", path).out, re.M
    )


def test_the_columns_stand_in_the_order_of_the_recipe_that_is_named(moat, finished, tmp_path):
    text = '[published]\nsource = "a paper"\nruns = {}\n[[variant]]\nname = "{}"\n'
    for first, second in (("pgd-at", "pareto"), ("pareto", "pgd-at")):
        path = published(tmp_path, text.replace("= {}", "= {{}}").format(first))
        answer = moat("report", finished, "--recipe", path, "--out", "scores")
        assert answer.code == 0
        header = (tmp_path / "scores" / "report.md").read_text("utf-8").splitlines()[2]
        assert header.index("plain") < header.index(first) < header.index(second)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds = [0]", ", published: the recipe states no published figures.\n  Add a table"),
        ("published = 3", ", published: should be a table, not 3."),
        ("[published]\nruns = {}", ", published.source: this key is required and missing."),
        ('[published]\nsource = "p"', ", published.runs: this key is required and missing."),
        ('[published]\nsource = "p"\nruns = {}\nrun = 1', ", published.run: unknown key. Did you"),
        (
            '[published]\nsource = "p"\nruns = { "pareto r=1" = { pgd = "9" } }',
            ", published.runs.\"pareto r=1\".pgd: should be a valid number, not '9'.",
        ),
        (
            '[published]\nsource = "p"\nruns = { plain = { pgd = nan } }',
            ", published.runs.plain.pgd: a number is finite, not nan.",
        ),
        ("[published", ": this is not valid TOML: "),
    ],
)
def test_published_figures_that_are_wrong_exit_with_2(moat, finished, tmp_path, text, message):
    path = published(tmp_path, text)
    answer = moat("report", finished, "--recipe", path, "--out", "scores")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"{path}{message}")
    assert not (tmp_path / "scores").exists()


def test_a_recipe_that_is_missing_has_no_published_figures(moat, finished):
    answer = moat("report", finished, "--recipe", "nowhere.toml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("nowhere.toml: this recipe does not exist.\n")


def test_a_run_whose_recipe_is_broken_is_reported_and_named(moat, recipe, trained):
    trained(recipe(), "plain", "pgd-at")
    (PLAIN / "recipe.toml").write_text("[", "utf-8")
    answer = moat("report", "results")
    assert answer.code == 0
    assert answer.err.startswith(f"not compared: {PLAIN / 'recipe.toml'}: the file is truncated")
    assert "plain" in answer.out


def test_a_folder_that_cannot_be_written_gets_no_report(moat, finished, recipe):
    answer = moat("report", finished, "--out", recipe() / "below")
    assert answer.code == 2
    assert "cannot write: Not a directory." in answer.err


# moat list, moat schema, moat --version


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("threats", ["flow", "integrated", "pgd", "rt"]),
        ("scalarizers", ["average", "max", "mgda", "natural", "two-moment"]),
        ("models", ["preact-resnet18", "resnet18", "small-cnn", "tiny-cnn"]),
        ("datasets", ["digits", "mnist"]),
    ],
)
def test_what_a_recipe_can_name_is_listed_with_its_origin(moat, kind, names):
    answer = moat("list", kind)
    assert (answer.code, answer.err) == (0, "")
    for name in names:
        assert re.search(rf"\b{name}\b.*\bmoat\b", answer.out)
    loaded = moat("list", kind, "--load")
    assert (loaded.code, loaded.err) == (0, "")
    for name in names:
        assert re.search(rf"\b{name}\b.*\bmoat\b", loaded.out)


def test_the_list_of_models_says_what_else_a_recipe_may_name(moat):
    answer = " ".join(moat("list", "models").out.split())
    assert "torchvision:<name>, any classifier of torchvision's" in answer
    assert "python:module:callable" in answer
    assert "torchvision:" not in moat("list", "threats").out


def test_the_schema_is_json(moat):
    answer = moat("schema")
    assert answer.code == 0
    assert {"data", "model", "extends", "variant"} <= set(json.loads(answer.out)["properties"])


def test_the_version_is_shown(moat):
    assert moat("--version").out == f"moat {__version__}\n"


@pytest.mark.parametrize(
    "command",
    [[], ["train"], ["evaluate"], ["front"], ["plot"], ["report"], ["list"], ["schema"]],
    ids=str,
)
def test_every_command_has_help(moat, command):
    answer = moat(*command, "--help")
    assert answer.code == 0
    assert "Usage: moat" in answer.out


# moat plot


def test_a_study_is_drawn_into_a_folder_of_its_own(moat, finished, tmp_path):
    answer = moat("plot", finished, "--out", "figures", "--kind", "radar", "--kind", "training")
    assert (answer.code, answer.err) == (0, "")
    written = [line.removeprefix("wrote ") for line in answer.out.splitlines()]
    assert written == [
        str(Path("figures", name))
        for name in ("radar.png", "radar.svg", "training.png", "training.svg")
    ]
    assert all((tmp_path / name).stat().st_size for name in written)


def test_the_pictures_lie_beside_the_runs_unless_said_otherwise(moat, finished, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(finished, results)
    answer = moat("plot", "results", "--kind", "parallel")
    assert answer.out.splitlines() == [
        f"wrote {Path('results', 'figures', name)}" for name in ("parallel.png", "parallel.svg")
    ]


FIGURE = """
[[figure]]
type = "relationship"
across = "scalarizer.r"
variant = "pareto"
zero = "plain"
"""


def test_the_figures_of_a_recipe_are_drawn_from_the_runs_own_or_from_another(moat, recipe, trained):
    path = recipe("[0.5, 1.0]", "[0.5]", more=FIGURE)
    trained(path, "plain", "pareto")
    answer = moat("plot", "results", "--kind", "relationship")
    assert (answer.code, answer.err) == (0, "")
    other = path.with_name("other.toml")
    other.write_text(FIGURE.replace("pareto", "parto"), "utf-8")
    answer = moat("plot", "results", "--kind", "relationship", "--recipe", other)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "not drawn: relationship of study on digits (size 8): no run of 'parto' is finished. Did "
        "you mean 'pareto'? finished: plain, pareto\n"
    )
    assert not Path("results/figures/relationship.png").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "seeds = [0]",
            ", figure: the recipe declares no figure.\n  Add a table [[figure]]; docs/recipes.md "
            "lists its keys.",
        ),
        (
            FIGURE.replace("zero", "zeor"),
            ", figure.0.zeor: unknown key. Did you mean 'zero'?\n"
            "  known: across, measure, threats, type, variant, zero",
        ),
        (
            FIGURE.replace("relationship", "line"),
            ", figure.0.type: no figure is called 'line'.\n  known: relationship, difference",
        ),
    ],
)
def test_a_recipe_without_a_sound_figure_is_refused(moat, finished, tmp_path, text, said):
    path = tmp_path / "paper.toml"
    path.write_text(text, "utf-8")
    answer = moat("plot", finished, "--recipe", path)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.strip() == f"{path}{said}"


def test_several_folders_need_a_folder_for_their_pictures(moat, finished):
    answer = moat("plot", finished, finished, "--kind", "radar")
    assert answer.code == 2
    assert "figures of several folders need --out" in answer.err
    answer = moat("plot", finished, finished, "--kind", "radar", "--out", "both")
    assert (answer.code, answer.err) == (0, "")


def test_a_run_that_cannot_be_read_is_told_before_the_pictures(moat, recipe, trained):
    trained(recipe(), "plain", "pgd-at")
    (PLAIN / "evaluation.npz").write_bytes(b"nothing")
    answer = moat("plot", "results", "--kind", "parallel")
    assert answer.code == 0
    assert answer.err.startswith(f"skipped: {PLAIN / 'evaluation.npz'}: the file is truncated")


@pytest.mark.parametrize("option", [("--rival", "there"), ("--prefer", "natural=1")])
def test_what_is_drawn_on_the_page_wants_a_page(moat, finished, option):
    answer = moat("report", finished, *option)
    assert answer.code == 2
    assert "--rival and --prefer are drawn on the page" in " ".join(answer.err.split())


def test_the_page_has_the_rival_s_front(moat, finished, tmp_path):
    answer = moat("report", finished, "--html", "page.html", "--rival", finished)
    assert answer.out.splitlines()[-1] == "wrote page.html"
    assert "Broken line: the front of" in (tmp_path / "page.html").read_text("utf-8")


def test_a_run_that_another_process_holds_is_left_to_it_and_named(moat, recipe, tmp_path):
    folder = tmp_path / PLAIN
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"):
        answer = moat("train", recipe(), "--only", "plain", "--only", "pgd-at")
    assert answer.code == 0
    assert f"held by another process: {PLAIN}: another process is writing this run" in answer.err
    assert answer.out.count("  put aside plain, seed 0: another process is writing") == 1
    assert "[1/2] plain" not in answer.out
    assert (
        "1 run(s) done, 0 skipped as finished, 0 failed, 1 held by other processes." in answer.out
    )


def test_a_bundle_is_not_taken_for_a_recipe(moat, recipe, finished):
    recipe()
    assert moat("bundle", finished, "b.zip").code == 0
    answer = moat("train", "b.zip")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "b.zip: this is a zip, perhaps a bundle of results; a recipe is a TOML file.\n"
        "  moat front b.zip shows its runs. To train one again, unpack the zip and name the "
        "recipe.toml in the run's folder.\n"
    )


def test_a_broken_run_is_left_out_by_name_and_the_others_are_scored(moat, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "results", dirs_exist_ok=True)
    broken = Path("results/study/plain/seed-0/run.json")
    broken.write_text("{")
    begun = Path("results/study/begun/seed-0/recipe.toml")
    begun.parent.mkdir(parents=True)
    begun.write_text("")
    answer = moat("score", "results")
    assert answer.code == 0
    first, *mends, second = answer.err.splitlines()
    assert first.startswith(f"skipped: {broken}: the file is truncated or not moat's")
    assert mends[0].startswith("  Delete it: `moat train` makes it again")
    assert second.startswith(f"skipped: {begun.parent}: the run is not finished.")
    assert "pgd-at, seed 0" in answer.out
    assert "plain, seed 0" not in answer.out
    assert moat("front", "results", "--format", "csv").err == answer.err
    alone = moat("score", broken.parent)
    assert (alone.code, alone.out) == (2, "")
    assert alone.err.startswith(f"{broken}: the file is truncated or not moat's")


def test_a_run_that_is_named_in_a_folder_and_in_a_zip_is_scored_once(moat, finished):
    assert moat("bundle", finished, "b.zip").code == 0
    once, twice = moat("score", finished, "--json"), moat("score", finished, "b.zip", "--json")
    assert (twice.code, twice.out) == (0, once.out)
    assert twice.err.startswith("skipped: b.zip/")
    assert "the same run as" in twice.err
