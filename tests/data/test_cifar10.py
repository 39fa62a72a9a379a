"""CIFAR-10 from small files in the original layout."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from moat.data import CIFAR10
from moat.errors import DataError

CLASSES = [*("airplane", "automobile", "bird", "cat", "deer"), *("dog", "frog", "horse", "ship")]


def write_archive(root: Path, a_batch: int = 6) -> np.ndarray:
    """Write five training batches and one of testing, as pickles; return all the images."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (6, a_batch, 3, 32, 32), dtype=np.uint8)
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        held = {"data": pixels[number].reshape(a_batch, -1), "labels": [*range(a_batch)]}
        (folder / name).write_bytes(pickle.dumps(held))
    names = {"label_names": [*CLASSES, "truck"]}
    (folder / "batches.meta").write_bytes(pickle.dumps(names))
    return pixels.reshape(-1, 3, 32, 32)


@pytest.fixture
def unchecked(monkeypatch):
    """The files of a test have other checksums than the original ones."""
    monkeypatch.setattr(datasets.cifar, "check_integrity", lambda *_: True)


@pytest.mark.usefixtures("unchecked")
def test_images_labels_and_classes_are_those_of_the_files(tmp_path):
    pixels = torch.from_numpy(write_archive(tmp_path))
    data = CIFAR10(root=tmp_path).load()
    assert data.shape == (3, 32, 32)
    assert torch.equal(data.train.images, pixels[:30])
    assert torch.equal(data.test.images, pixels[30:])
    assert data.train.labels.tolist() == [*range(6)] * 5
    assert data.test.ids.tolist() == [*range(6)]
    assert data.classes == (*CLASSES, "truck")


@pytest.mark.usefixtures("unchecked")
def test_without_a_root_the_variable_names_the_folder(tmp_path, monkeypatch):
    write_archive(tmp_path)
    monkeypatch.setenv("MOAT_DATA", str(tmp_path))
    assert len(CIFAR10().load().train) == 30


def test_files_with_other_checksums_are_refused_and_it_says_how_to_get_the_right_ones(tmp_path):
    write_archive(tmp_path)
    with pytest.raises(DataError) as raised:
        CIFAR10(root=tmp_path).load()
    assert raised.value.message == (
        f"no readable CIFAR-10 in {str(tmp_path)!r}: Dataset not found or corrupted. You can use "
        "download=True to download it"
    )
    assert raised.value.hint == (
        "Put the folder cifar-10-batches-py there, name another folder with data.root or the "
        "variable MOAT_DATA, or set data.download = true."
    )


@pytest.mark.usefixtures("unchecked")
def test_a_truncated_file_is_refused(tmp_path):
    write_archive(tmp_path)
    (tmp_path / "cifar-10-batches-py" / "data_batch_2").write_bytes(b"\x80\x04")
    with pytest.raises(DataError, match="no readable CIFAR-10"):
        CIFAR10(root=tmp_path).load()
