"""What every test finds: shapes checked at run time, repeatable properties, a tiny model and batch.

The import hook must stand before the first import of moat, so it is installed here.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

# Before torch: on tiny batches a second thread only waits, and beside other work ten times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
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


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results of recipes/digits_pareto.toml: `digits_pareto`, of three seeds, and
    `demo`, of the first alone. Weights, checkpoints and what the sanity gate kept are left out."""
    folder = tmp_path_factory.mktemp("golden")
    with ZipFile(Path(__file__).parent / "golden/digits_three_seeds.zip") as kept:
        kept.extractall(folder)
    three, demo = folder / "digits_pareto", folder / "demo"
    shutil.copytree(three, demo, ignore=shutil.ignore_patterns("seed-1", "seed-2"))
    plan = json.loads((demo / "study.json").read_text("utf-8"))
    plan["runs"] = [run for run in plan["runs"] if run["seed"] == 0]
    (demo / "study.json").write_text(json.dumps(plan), "utf-8")
    return folder
