"""What every test finds: shapes checked at run time, repeatable properties, a tiny model and batch.

The import hook must stand before the first import of moat, so it is installed here.
"""

import json
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

# Before torch: on tiny batches a second thread only waits, and beside other work ten times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import jaxtyping
import pytest
import torch
from filelock import FileLock
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook
from torch import nn

# The rooms that deal in tensors and arrays. The others (errors, recipe, report, cli) have no shapes
# to check, and beartype refuses what they may well say: `-> Self` on a lone method.
SHAPED = (
    *("geometry", "fronts", "losses", "objectives", "outcomes", "passes", "storage"),
    *("threats", "scalarizers", "models", "data", "runs", "registry"),
    *("training", "evaluation", "analysis", "testing"),
)
# An int may stand for a float, as the language has it.
CHECK = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
install_import_hook([f"moat.{name}" for name in SHAPED], CHECK)

# Rooms whose tests make whole runs. Each function checks its shapes in the tests of its own room;
# here the checks would take two fifths of the time, and are left to the runs of `trained`.
WHOLE_RUNS = tuple(
    Path(__file__).parent / room
    for room in ("benchmarks", "cli", "docs", "faults", "fuzz", "plugin_kit", "report", "study")
)

settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    max_examples=30,
    # Fixtures here are built anew for a test, and no example changes them.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Let strategies make moat's objects: beartype looks at random items of their lists."""
    config.addinivalue_line(
        "filterwarnings", "ignore:Do not use the `random` module inside strategies"
    )


def check_shapes(wanted: bool) -> None:
    jaxtyping.config.update("jaxtyping_disable", not wanted)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Check shapes where the test's room deals in them."""
    check_shapes(not any(room in item.path.parents for room in WHOLE_RUNS))


@pytest.fixture
def tiny_model() -> nn.Module:
    """A float64 network from (batch, 1, 8, 8) to 10 logits, in train mode, with a dropout layer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(
            *(nn.Conv2d(1, 6, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 8, 3, padding=1), nn.Tanh(), nn.Flatten()),
            *(nn.Dropout(0.5), nn.Linear(8 * 4 * 4, 10)),
        )
    return network.double()


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Twelve float64 images (12, 1, 8, 8) in [0, 1], some pixels exactly 0 and 1; labels (12,)."""
    generator = torch.Generator().manual_seed(1)
    wide = 1.4 * torch.rand(12, 1, 8, 8, generator=generator, dtype=torch.float64) - 0.2
    return wide.clamp(0, 1), torch.arange(12) % 10


@pytest.fixture
def mnist_root() -> Path:
    """The folder that holds MNIST/raw, where the variable MOAT_DATA names one."""
    named = os.environ.get("MOAT_DATA")
    if not named:
        pytest.skip("the variable MOAT_DATA names no folder with data")
    root = Path(named)
    if not (root / "MNIST" / "raw").is_dir():
        pytest.skip(f"{root} (MOAT_DATA) holds no MNIST/raw")
    return root


SMALL = Path(__file__).parent / "small.toml"


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[..., Path]:
    """Write the small study with one piece of its text replaced and more added; return its file."""

    def write(old: str = "", new: str = "", *, more: str = "", name: str = "study.toml") -> Path:
        text = SMALL.read_text("utf-8")
        assert old in text
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new, 1) + more, "utf-8")
        return path

    return write


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Fill a folder once for the whole suite: the workers wait for the first that asks for it.

    Nothing is written into it afterwards: a test copies what it changes.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    shared.mkdir(exist_ok=True)

    def share(name: str, fill: Callable[[Path], object]) -> Path:
        folder, begun = shared / name, shared / f"{name}.begun"
        with FileLock(shared / f"{name}.lock"):
            if not folder.exists():
                shutil.rmtree(begun, ignore_errors=True)
                begun.mkdir()
                fill(begun)
                begun.rename(folder)
        return folder

    return share


@pytest.fixture
def some_cifar10(shared_folder: Callable[..., Path]) -> Callable[[], Path]:
    """A folder with every tenth image of $MOAT_DATA/cifar10-jpeg.zip, in an archive of that name.

    To decode all 60,000 takes 12 CPU seconds, and shows nothing more.
    """

    def thin(folder: Path) -> None:
        name = "cifar10-jpeg.zip"
        with (
            ZipFile(Path(os.environ["MOAT_DATA"], name)) as whole,
            ZipFile(folder / name, "w") as tenth,
        ):
            for image in whole.namelist():
                if image.endswith("0.jpg"):
                    tenth.writestr(image, whole.read(image))

    return lambda: shared_folder("some of cifar10", thin)


@pytest.fixture
def trained(shared_folder: Callable[..., Path], results: Path) -> Callable[..., list[Path]]:
    """Lay down what the training of a recipe leaves; return the folders of its runs.

    Each recipe is trained once for the whole suite, with shapes checked. This is set-up: what a
    test says of training itself is said of a run of its own.
    """

    def lay(recipe: Path, *only: str, at: Path = results, **keys: object) -> list[Path]:
        asked = (recipe.name, recipe.read_text("utf-8"), only, sorted(keys.items()))

        def fill(folder: Path) -> None:
            from moat import study

            checked = not jaxtyping.config.jaxtyping_disable
            check_shapes(True)
            done = study.train(recipe, only=only, results=folder, device="cpu", **keys)
            check_shapes(checked)
            assert not done.failed, done.failed

        made = shared_folder(sha256(repr(asked).encode()).hexdigest()[:16], fill)
        shutil.copytree(made, at, dirs_exist_ok=True)
        (planned,) = made.glob("*/study.json")
        study_folder = at / planned.parent.name
        return [study_folder / run["folder"] for run in json.loads(planned.read_text())["runs"]]

    return lay


@pytest.fixture(scope="session")
def golden(shared_folder: Callable[..., Path]) -> Path:
    """A folder with results of recipes/digits_pareto.toml: `digits_pareto`, of three seeds, and
    `demo`, of the first alone. Weights, checkpoints and what the sanity gate kept are left out."""

    def fill(folder: Path) -> None:
        with ZipFile(Path(__file__).parent / "golden/digits_three_seeds.zip") as kept:
            kept.extractall(folder)
        three, demo = folder / "digits_pareto", folder / "demo"
        shutil.copytree(three, demo, ignore=shutil.ignore_patterns("seed-1", "seed-2"))
        plan = json.loads((demo / "study.json").read_text("utf-8"))
        plan["runs"] = [run for run in plan["runs"] if run["seed"] == 0]
        (demo / "study.json").write_text(json.dumps(plan), "utf-8")

    return shared_folder("golden", fill)
