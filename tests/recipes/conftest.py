"""Data in the layouts that the recipes read, small, written by the tests; and the commands."""

import pickle
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.datasets.cifar
from PIL import Image
from torchvision.models import resnet18
from typer.testing import CliRunner

from moat.cli.app import app

DRAW = np.random.default_rng(0)


def write_mnist(root: Path, train: int, test: int) -> None:
    """Write IDX files: a big-endian header of the type, the number of axes and each axis."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", train), ("t10k", test)):
        images = DRAW.integers(0, 256, (count, 28, 28), np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, values in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
            (raw / f"{part}-{name}-ubyte").write_bytes(header + values.tobytes())


def write_cifar10(root: Path, images: int) -> None:
    """Write the batches of the Python archive, so many images each; their MD5s are not checked."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    held = {
        "data": DRAW.integers(0, 256, (images, 3072), np.uint8),
        "labels": [number % 10 for number in range(images)],
    }
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (folder / name).write_bytes(pickle.dumps(held))
    names = {"label_names": [f"class {label}" for label in range(10)]}
    (folder / "batches.meta").write_bytes(pickle.dumps(names))


def jpeg(side: int) -> bytes:
    file = BytesIO()
    Image.fromarray(DRAW.integers(0, 256, (side, side, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="session")
def small_root(tmp_path_factory) -> Path:
    """A folder with every data set of the recipes, small, and torch's folder of weights."""
    root = tmp_path_factory.mktemp("data")
    write_mnist(root, train=4500, test=20)
    write_cifar10(root, images=30)
    with zipfile.ZipFile(root / "cifar10-jpeg.zip", "w") as archive:
        for part, count in (("train", 20), ("test", 6)):
            for place in range(count):
                for category in ("cat", "ship"):
                    archive.writestr(f"{part}/{category}/{place:04d}.jpg", jpeg(32))
    for category in ("001.ak47", "002.american-flag"):
        folder = root / "caltech256" / "256_ObjectCategories" / category
        folder.mkdir(parents=True)
        for place in range(63):  # 60 of them are trained on
            (folder / f"{category[:3]}_{place:04d}.jpg").write_bytes(jpeg(40))
    hub = root / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(resnet18().state_dict(), hub / "resnet18-f37072fd.pth")
    return root


@pytest.fixture
def small_data(small_root, monkeypatch) -> None:
    """Let the recipes find the small data, and nothing else."""
    monkeypatch.setenv("MOAT_DATA", str(small_root))
    monkeypatch.setenv("TORCH_HOME", str(small_root / "torch"))
    monkeypatch.setattr(torchvision.datasets.cifar, "check_integrity", lambda *_: True)


@pytest.fixture
def short_gate(monkeypatch) -> None:
    """Let every search of the sanity gate be short: a network that learnt nothing takes them all.

    At full length they are nine tenths of the time of a smoke study; what they find has its tests
    beside the gate.
    """
    for room in ("probes", "wider"):
        monkeypatch.setattr(f"moat.evaluation.sanity.{room}.PROBE_STEPS", 2)
    monkeypatch.setattr("moat.evaluation.sanity.probes.PROBE_DRAWS", 2)
    monkeypatch.setattr("moat.evaluation.sanity.wider.WIDER", (1, 64))


@pytest.fixture
def moat() -> Callable[..., str]:
    """Run a command that should succeed; return what it prints."""

    def run(*arguments: object) -> str:
        done = CliRunner().invoke(app, [str(one) for one in arguments])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    return run
