"""The recipes of the paper's studies: they hold together, hold the paper's numbers, and run."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torchvision.models import resnet18

from moat.recipe import RunPlan
from moat.recipe.plan import described
from moat.report import make_fronts
from moat.runs import CACHE
from moat.study import plan, train
from moat.study.step_cost import passes_per_example
from moat.threats import GradientThreat

RECIPES = Path(__file__).parents[2] / "recipes"
STUDIES = sorted(RECIPES.glob("*.toml"))
SMOKE = sorted((RECIPES / "smoke").glob("*.toml"))
PAPERS = [
    path
    for path in (*STUDIES, *SMOKE, *sorted((RECIPES / "base").glob("*.toml")))
    if not path.name.startswith(("digits", "mnist_cpu", "mnist14"))  # moat's own studies
]


def named(path: Path) -> str:
    return str(path.relative_to(RECIPES))


def runs(name: str) -> dict[str, RunPlan]:
    return {run.label: run for run in plan(RECIPES / f"{name}.toml")}


# They hold together.


@pytest.mark.parametrize("path", [*STUDIES, *SMOKE], ids=named)
def test_a_recipe_is_planned_and_its_published_figures_belong_to_its_runs(path):
    planned = plan(path)
    labels = [run.label for run in planned]
    assert len({(run.label, run.seed) for run in planned}) == len(planned)
    published = planned[0].document.get("published", {"runs": {}})["runs"]
    assert set(published) <= set(labels)
    scores = {"natural", "universal", "total", "union", *planned[0].protocol.threats}
    assert set().union(*published.values()) <= scores


def whole_of(overlay: Path) -> Path:
    """Return the study that a smoke overlay cuts; their names differ, and so their results."""
    return RECIPES / f"{overlay.stem.removesuffix('_smoke')}.toml"


@pytest.mark.parametrize("path", SMOKE, ids=named)
def test_a_smoke_overlay_takes_the_code_path_of_its_study(path):
    small, whole = (runs(named(p)[: -len(".toml")]) for p in (path, whole_of(path)))
    assert set(small) <= set(whole)
    assert {label.partition(" ")[0] for label in small} == {"natural", "average-at", "pareto"}
    for label, run in small.items():
        study = whole[label]
        assert run.dataset.name == CUT.get(study.dataset.name, study.dataset.name)
        assert layers(run) == layers(study)
        assert run.augmentation == study.augmentation
        assert run.optimizer == study.optimizer
        assert type(run.schedule) is type(study.schedule)
        assert repr(run.scalarizer) == repr(study.scalarizer)
        for cut, full in (
            (run.threats, study.threats),
            (run.protocol.threats, study.protocol.threats),
        ):
            assert {n: sizes(t) for n, t in cut.items()} == {n: sizes(t) for n, t in full.items()}


CUT = {"cifar10": "image-folder"}  # the one exception: its archive is not a file of images
"""The data sets that an overlay reads from other files."""


def layers(run: RunPlan) -> list[type]:
    """Return the class of each layer of a network, which no width changes."""
    return [type(layer) for layer in run.model.build((3, 32, 32), 10).modules()]


def sizes(threat: GradientThreat) -> dict[str, Any]:
    """Return all that a threat is but for how long it is searched."""
    return {**described(threat), "steps": None}


def lines_without_source(text: str) -> list[str]:
    """Return the lines that hold a number and have no comment, beside them or on the line above.

    A table [published] names its one source.
    """
    found, table, before = [], "", ""
    for line in re.sub(r'"[^"\n]*"', '""', text).splitlines():
        code, mark, _ = line.partition("#")
        table = code.strip() if code.startswith("[") else table
        unsourced = not mark and not before.startswith("#") and "published" not in table
        if unsourced and re.search(r"(?<![\w.-])\d", code):
            found.append(line)
        before = line
    return found


def test_a_number_without_a_source_is_found():
    text = 'a = "x 1"\nb = 2  # here\n# above\nc = 3\nd1 = { e = [4] }\n[published.runs]\nf = 5\n'
    assert lines_without_source(text) == ["d1 = { e = [4] }"]


@pytest.mark.parametrize("path", PAPERS, ids=named)
def test_every_number_has_its_source_beside_it(path):
    assert lines_without_source(path.read_text("utf-8")) == []


def test_the_readme_names_every_recipe():
    page = (RECIPES / "README.md").read_text("utf-8")
    assert set(re.findall(r"`(\w+)\.toml`", page)) == {path.stem for path in STUDIES}
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page):
        assert (RECIPES / link).exists(), link


@pytest.mark.parametrize("path", STUDIES, ids=named)
def test_the_readme_says_what_a_recipe_costs(path):
    page = (RECIPES / "README.md").read_text("utf-8")
    cells = re.search(rf"^\| `{path.stem}\.toml` \| [^|]* \| (.*) \|$", page, re.M)
    planned = plan(path)
    searches = [passes_per_example(run)[0] for run in planned]
    assert cells
    assert cells[1].split(" | ") == [
        str(len(planned) // len({run.seed for run in planned})),
        str(planned[0].training.epochs or "by budget"),
        f"{min(searches):g} to {max(searches):g}",
        str(planned[0].protocol.passes()),
    ]


# They hold the numbers of Appendix E and of Tables 1 and 2, written here from the paper.

EPOCHS = {"mnist": 100, "cifar10": 76, "caltech": 10}
SIZES = {  # epsilon, step size
    "mnist": {"pgd": (0.3, 0.01), "flow": (0.3, 0.01), "rt": (0.3, 0.1)},
    "cifar10": {"pgd": (0.031, 0.007), "flow": (0.3, 0.001), "rt": (1.0, 0.05)},
    "caltech": {"pgd": (0.031, 0.007), "flow": (0.3, 0.00001), "rt": (1.0, 0.1)},
}
TRAINED = {  # steps
    "mnist": {"pgd": 30, "flow": 20, "rt": 20, "integrated": 20},
    "cifar10": {"pgd": 3, "flow": 5, "rt": 5, "integrated": 5},
    "caltech": {"pgd": 5, "flow": 10, "rt": 10, "integrated": 10},
}
EVALUATED = {  # at steps
    "mnist": {"pgd": (10, 20, 30, 40), "flow": (5, 10, 15, 20), "rt": (5, 10, 15, 20)},
    "cifar10": {"pgd": (5, 10, 15, 20), "flow": (3, 5, 10, 15), "rt": (3, 5, 10, 15)},
    "caltech": {"pgd": (5, 10, 15, 20), "flow": (3, 5, 10, 15), "rt": (3, 5, 10, 15)},
}
RATE_FALLS = {"mnist": (55, 75, 90), "cifar10": (75,)}  # TRADES: for these epochs, from 1
LEVELS = {  # r; Caltech-256's 6.0 stands in Table 1
    "mnist": [0.2, 0.5, 0.8, 1.0, 1.2, 1.5, 1.8, 2.0, 2.2],
    "cifar10": [0.5, 1.0, 1.25, 1.5, 2.25, 3.0, 3.5, 4.0],
    "caltech": [0.5, 1.0, 1.25, 1.5, 2.25, 3.0, 3.5, 4.0, 6.0],
}
LEARNING = {  # batch, type, rate, momentum, weight decay: TRADES; of Caltech-256 not given
    "mnist": (128, "sgd", 0.01, 0.9, 0.0),
    "cifar10": (128, "sgd", 0.1, 0.9, 0.0002),
    "caltech": (64, "sgd", 0.01, 0.9, 0.0005),
}
TABLE_1 = {  # pgd, flow, rt, universal
    "mnist": {
        "natural": (29.40, 14.36, 16.70, 0.0),
        "pgd-at": (98.42, 38.23, 12.77, 88.97),
        "spatial-at": (0.24, 27.59, 78.76, 46.14),
        "max-at": (65.16, 53.02, 51.47, 109.19),
        "average-at": (92.70, 48.51, 88.76, 169.52),
        "pareto r=2.2": (88.06, 58.70, 90.40, 176.71),
    },
    "cifar10": {
        "natural": (0.82, 9.34, 57.28, 0.0),
        "pgd-at": (70.24, 72.29, 18.94, 94.04),
        "spatial-at": (12.11, 83.63, 40.96, 69.26),
        "max-at": (52.04, 85.31, 40.06, 109.98),
        "average-at": (49.68, 79.88, 64.98, 127.11),
        "pareto r=4.0": (51.65, 80.38, 66.36, 130.96),
    },
    "caltech": {
        "natural": (4.74, 34.59, 49.73, 0.0),
        "pgd-at": (82.43, 87.96, 21.71, 103.05),
        "spatial-at": (6.94, 88.75, 65.04, 71.66),
        "max-at": (59.81, 65.89, 64.64, 101.28),
        "average-at": (71.60, 86.67, 53.68, 122.89),
        "pareto r=6.0": (76.52, 87.39, 50.00, 124.85),
    },
}
TABLE_2 = {  # natural, pgd, flow, rt, total
    "natural": (91.43, 0.82, 9.34, 57.28),  # its total is not printed
    "average-at": (56.39, 64.11, 82.45, 51.36, 197.92),
    "pareto r=3.5": (82.64, 53.73, 80.10, 66.57, 200.39),
    "pareto r=3.7": (79.69, 58.70, 77.62, 67.56, 203.88),
    "pareto r=4.0": (71.68, 63.28, 81.01, 59.69, 203.98),
    "pareto r=4.2": (61.53, 65.19, 82.38, 52.04, 199.61),
}
DATA = list(EPOCHS)


def swept(found: dict[str, RunPlan], variant: str) -> list[float]:
    """Return the values of a variant's sweep over one key."""
    return [
        value for run in found.values() if run.variant == variant for value in run.sweep.values()
    ]


@pytest.mark.parametrize("data", DATA)
def test_a_study_trains_and_judges_with_the_numbers_of_appendix_e(data):
    found = runs(f"{data}_pareto")
    average, spatial = found["average-at"], found["spatial-at"].threats["integrated"]
    assert {run.training.epochs for run in found.values()} == {EPOCHS[data]}
    optimizer = average.optimizer
    assert LEARNING[data] == (
        *(average.training.batch_size, optimizer.type, optimizer.lr),
        *(optimizer.momentum, optimizer.weight_decay),
    )
    milestones = getattr(average.schedule, "milestones", ())  # the last epochs before
    assert tuple(epoch + 1 for epoch in milestones) == RATE_FALLS.get(data, ())
    assert list(average.threats) == list(average.protocol.threats) == ["pgd", "flow", "rt"]
    for threats in (average.threats, average.protocol.threats):
        assert {n: (t.epsilon, t.step_size) for n, t in threats.items()} == SIZES[data]
    assert (spatial.flow_epsilon, spatial.flow_step_size) == SIZES[data]["flow"]
    assert (spatial.rt_epsilon, spatial.rt_step_size) == SIZES[data]["rt"]
    trained = {name: threat.steps for name, threat in average.threats.items()}
    assert {**trained, "integrated": spatial.steps} == TRAINED[data]
    protocol = average.protocol
    assert {name: protocol.steps(name) for name in protocol.threats} == EVALUATED[data]
    assert protocol.examples is None
    assert {threat.start for threat in protocol.threats.values()} == {"zero"}
    starts = {name: threat.start for name, threat in average.threats.items()}
    assert starts == {"pgd": "noise", "flow": "zero", "rt": "zero"}


@pytest.mark.parametrize("data", DATA)
def test_a_study_has_every_column_of_table_1_and_the_sweep_of_r(data):
    found = runs(f"{data}_pareto")
    assert swept(found, "pareto") == LEVELS[data]
    baselines = {
        run.label: (run.scalarizer.name, list(run.threats))
        for run in found.values()
        if not run.sweep
    }
    three = ["pgd", "flow", "rt"]
    assert baselines == {
        "natural": ("natural", []),
        "pgd-at": ("average", ["pgd"]),
        "spatial-at": ("average", ["integrated"]),
        "max-at": ("max", three),
        "average-at": ("average", three),
    }
    published = found["natural"].document["published"]["runs"]
    assert {name: tuple(row.values()) for name, row in published.items()} == TABLE_1[data]
    assert {tuple(row) for row in published.values()} == {(*three, "universal")}


def test_the_strong_pgd_is_that_of_table_2_in_training_and_the_usual_one_in_evaluation():
    found, usual = runs("cifar10_strong_pgd"), runs("cifar10_pareto")
    pgd = found["average-at"].threats["pgd"]
    assert (pgd.epsilon, pgd.step_size) == pytest.approx((16 / 255, 8 / 255), abs=1e-6)
    assert pgd.steps == TRAINED["cifar10"]["pgd"]
    assert {run.protocol_hash for run in (*found.values(), *usual.values())} == {
        usual["natural"].protocol_hash
    }
    assert found["natural"].train_hash == usual["natural"].train_hash
    assert swept(found, "pareto") == [3.5, 3.7, 4.0, 4.2]
    published = found["natural"].document["published"]["runs"]
    assert {name: tuple(row.values()) for name, row in published.items()} == TABLE_2
    columns = ("natural", "pgd", "flow", "rt", "total")
    assert {tuple(row) for row in published.values()} == {columns, columns[:4]}


@pytest.mark.parametrize("data", DATA)
def test_models_of_growing_pgd_are_judged_by_the_protocol_of_table_1(data):
    found, usual = runs(f"{data}_relationship"), runs(f"{data}_pareto")
    assert {run.protocol_hash for run in found.values()} == {usual["natural"].protocol_hash}
    assert found["natural"].train_hash == usual["natural"].train_hash
    own = found[f"pgd-at steps={TRAINED[data]['pgd']}"]
    assert own.train_hash == usual["pgd-at"].train_hash
    steps = swept(found, "pgd-at")
    assert steps == sorted(set(steps))


@pytest.mark.parametrize("data", ["mnist", "caltech"])
def test_models_of_growing_strength_train_against_one_threat_each(data):
    found = runs(f"{data}_representation")
    for variant, label in (("pgd-at", "pgd"), ("flow-at", "flow"), ("rt-at", "rt")):
        assert {tuple(r.threats) for r in found.values() if r.variant == variant} == {(label,)}
        steps = swept(found, variant)
        assert steps == sorted({*steps, TRAINED[data][label]})


def test_max_at_and_pgd_at_meet_the_same_growing_pgd_and_every_epsilon_is_reached():
    found = runs("mnist_overfitting")
    sweeps = [swept(found, variant) for variant in ("pgd-at", "max-at")]
    assert sweeps[0] == sweeps[1] == sorted(set(sweeps[0]))
    for run in found.values():
        if pgd := run.threats.get("pgd"):
            assert pgd.steps * pgd.step_size > pgd.epsilon


# They run.

FEW = ("data.train_examples=16", "evaluation.examples=6")
FEWER = ("data.train_examples=64", "evaluation.examples=20")  # than a smoke study's; real ones
SMALLER = {"caltech_pareto_smoke": ("data.size=32", "data.resize=36")}  # a quarter of its pixels


@pytest.mark.usefixtures("short_gate")
@pytest.mark.parametrize("path", SMOKE, ids=named)
def test_a_smoke_study_runs_to_front_and_report_on_small_files(path, small_data, tmp_path, moat):
    fewer = (*FEW, *SMALLER.get(path.stem, ()))
    done = train(path, overrides=fewer, results=tmp_path, device="cpu")
    assert (len(done.done), done.failed) == (3, {})
    (front,) = make_fronts(tmp_path).fronts
    assert len(front.settings) == 3
    moat("front", tmp_path)
    said = moat("report", tmp_path)
    assert "universal" in said
    assert "published" not in said + (tmp_path / "report.md").read_text("utf-8")


@pytest.mark.usefixtures("short_gate")
def test_the_smoke_study_of_caltech_begins_with_weights_of_a_file(small_data, tmp_path):
    state = resnet18().state_dict()
    state["layer1.0.bn1.weight"].fill_(3.0)  # drawn anew it is 1
    torch.save(state, file := tmp_path / "weights.pth")
    path = RECIPES / "smoke" / "caltech_pareto_smoke.toml"
    weights = (*FEW, *SMALLER[path.stem], f"model.weights={file}")
    done = train(path, overrides=weights, only=["pareto"], results=tmp_path, device="cpu")
    assert done.failed == {}
    (folder,) = done.done
    trained = load_file(folder / "model.safetensors")
    assert (trained["network.layer1.0.bn1.weight"] - 3).abs().max() < 0.5
    assert len(trained["network.fc.bias"]) == 2  # of the file's 1,000


@pytest.mark.slow
@pytest.mark.usefixtures("short_gate")
@pytest.mark.parametrize("path", SMOKE, ids=named)
def test_a_smoke_study_runs_to_a_front_on_real_data(path, tmp_path, some_cifar10, monkeypatch):
    within = {
        "mnist_pareto_smoke": "MNIST/raw",
        "cifar10_pareto_smoke": "cifar10-jpeg.zip",
        "caltech_pareto_smoke": "caltech256/256_ObjectCategories",
    }[path.stem]
    if not Path(os.environ.get("MOAT_DATA") or "nowhere", within).exists():
        pytest.skip(f"the variable MOAT_DATA names no folder with {within}")
    if path.stem == "cifar10_pareto_smoke":
        monkeypatch.setenv("MOAT_DATA", str(some_cifar10()))
    run = plan(path)[0]
    test = run.dataset.load(tmp_path / CACHE).test
    assert len(test.labels[: run.protocol.examples].unique()) >= 5  # classes
    fewer = (*FEWER, *SMALLER.get(path.stem, ()))
    done = train(path, overrides=fewer, results=tmp_path, device="cpu")
    assert (len(done.done), done.failed) == (3, {})
    (front,) = make_fronts(tmp_path).fronts
    assert len(front.settings) == 3


@pytest.mark.parametrize("path", STUDIES, ids=named)
def test_a_dry_run_prices_every_run_of_a_study(path, small_data, small_root, moat):
    few = "training.pass_size=2"  # images that are timed; identifies no run
    said = moat("train", path, "--dry-run", "--set", few, "--results", small_root / "results")
    assert f"{len(plan(path))} run(s), about" in said
