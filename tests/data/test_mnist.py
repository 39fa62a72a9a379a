import gzip
import struct
from pathlib import Path

import pytest
import torch
from torchvision import datasets

from moat.data import MNIST, FashionMNIST, registry
from moat.errors import DataError, FieldError
from moat.recipe.plan import described_data

HINT = (
    "Put the IDX files under MNIST/raw there, name another folder with data.root or the variable "
    "MOAT_DATA, or set data.download = true."
)


def idx(values: torch.Tensor) -> bytes:
    """Return the IDX file of a uint8 tensor: two zeros, type 8, dimensions, sizes, values."""
    header = struct.pack(">BBBB", 0, 0, 8, values.ndim)
    return header + struct.pack(f">{values.ndim}I", *values.shape) + values.numpy().tobytes()


def images(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, 28, 28), generator=generator, dtype=torch.uint8)


def labels(count: int) -> torch.Tensor:
    return torch.arange(count, dtype=torch.uint8) % 10


@pytest.fixture
def tiny_root(tmp_path) -> Path:
    """A folder with an MNIST of 30 training and 20 test images."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, count in (("train", 30), ("t10k", 20)):
        (raw / f"{name}-images-idx3-ubyte").write_bytes(idx(images(count, seed=count)))
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(idx(labels(count)))
    return tmp_path


def test_images_and_labels_are_those_of_the_files(tiny_root):
    data = MNIST(root=tiny_root).load()
    assert data.shape == (1, 28, 28)
    assert torch.equal(data.train.images[:, 0], images(30, seed=30))
    assert torch.equal(data.test.images[:, 0], images(20, seed=20))
    assert data.train.labels.tolist() == labels(30).tolist()
    assert data.train.labels.dtype == torch.int64
    assert data.test.ids.tolist() == list(range(20))
    assert data.classes == tuple("0123456789")


@pytest.mark.parametrize("size", [14, 7])
def test_smaller_images_are_the_rounded_means_of_blocks(tiny_root, size):
    small, block = MNIST(root=tiny_root, size=size).load(), 28 // size
    assert small.shape == (1, size, size)
    blocks = images(20, seed=20).double().unfold(1, block, block).unfold(2, block, block)
    assert torch.equal(small.test.images[:, 0].double(), blocks.mean((-1, -2)).round())


def test_a_size_without_whole_blocks_is_refused(tiny_root):
    with pytest.raises(FieldError, match="size"):
        MNIST(root=tiny_root, size=20)


def test_the_stored_size_does_not_enter_the_identity(tiny_root):
    stored, small = (described_data(MNIST(root=tiny_root, size=size)) for size in (28, 14))
    assert "size" not in stored
    assert small == {**stored, "size": 14}


def test_without_a_root_the_variable_names_the_folder(tiny_root, monkeypatch):
    monkeypatch.setenv("MOAT_DATA", str(tiny_root))
    assert len(MNIST().load().train) == 30


def test_without_a_root_and_a_variable_the_folder_is_data(tiny_root, monkeypatch, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "data").symlink_to(tiny_root)
    monkeypatch.delenv("MOAT_DATA", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    assert len(MNIST().load().train) == 30


def test_a_root_goes_before_the_variable(tiny_root, monkeypatch, tmp_path):
    monkeypatch.setenv("MOAT_DATA", str(tmp_path / "nothing"))
    assert len(MNIST(root=tiny_root).load().train) == 30


@pytest.mark.parametrize("file", ["train-images-idx3", "t10k-labels-idx1"])
def test_a_missing_file_is_refused_with_the_folder_and_what_to_do(tiny_root, file):
    (tiny_root / "MNIST" / "raw" / f"{file}-ubyte").unlink()
    with pytest.raises(DataError) as raised:
        MNIST(root=tiny_root).load()
    assert raised.value.message.startswith(f"no readable MNIST in {str(tiny_root)!r}: ")
    assert f"{file}-ubyte is not found in MNIST/raw, nor packed as .gz." in raised.value.message
    assert raised.value.hint == HINT


@pytest.mark.parametrize("packed", ["train-images-idx3-ubyte", "all"])
def test_files_that_are_packed_are_read_as_they_are(tiny_root, packed):
    before = MNIST(root=tiny_root).load()
    for path in list((tiny_root / "MNIST" / "raw").iterdir()):
        if packed in (path.name, "all"):
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    data = MNIST(root=tiny_root).load()
    assert (data.train.digest(), data.test.digest()) == (
        before.train.digest(),
        before.test.digest(),
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_packed_file_that_is_cut_is_refused(tiny_root, share):
    path = tiny_root / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    content = gzip.compress(path.read_bytes())
    path.with_name(f"{path.name}.gz").write_bytes(content[: int(share * len(content))])
    path.unlink()
    with pytest.raises(DataError, match="no readable MNIST"):
        MNIST(root=tiny_root).load()


def test_the_folder_that_was_looked_in_is_named_in_full(monkeypatch, tmp_path):
    monkeypatch.delenv("MOAT_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as raised:
        MNIST().load()
    assert repr(str(tmp_path / "data")) in raised.value.message


@pytest.mark.parametrize("content", ["half", "empty", "text", "bytes"])
@pytest.mark.parametrize("file", ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3"])
def test_a_truncated_or_foreign_file_is_refused(tiny_root, file, content):
    path = tiny_root / "MNIST" / "raw" / f"{file}-ubyte"
    whole = path.read_bytes()
    broken = {"half": whole[: len(whole) // 2], "empty": b"", "text": b"no digits\n" * 9}
    path.write_bytes(broken.get(content, bytes(range(255, 0, -1))))
    with pytest.raises(DataError) as raised:
        MNIST(root=tiny_root).load()
    before, _, why = raised.value.message.partition(": ")
    assert before == f"no readable MNIST in {str(tiny_root)!r}"
    assert why  # an assertion without a text is named by its type
    assert raised.value.hint == HINT


def test_images_of_another_number_than_labels_are_refused(tiny_root):
    raw = tiny_root / "MNIST" / "raw"
    (raw / "train-labels-idx1-ubyte").write_bytes(idx(labels(29)))
    with pytest.raises(DataError, match="30 images but 29 labels"):
        MNIST(root=tiny_root).load()


def test_nothing_is_downloaded_unless_it_is_asked_for(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(datasets.MNIST, "download", lambda self: asked.append(self.root))
    with pytest.raises(DataError):
        MNIST(root=tmp_path).load()
    assert asked == []
    with pytest.raises(DataError):
        MNIST(root=tmp_path, download=True).load()
    assert [str(root) for root in asked] == [str(tmp_path)]


def test_a_download_that_fails_is_a_data_error(tmp_path, monkeypatch):
    def fail(self):
        raise OSError("no route to host")

    monkeypatch.setattr(datasets.MNIST, "download", fail)
    with pytest.raises(DataError, match="no route to host"):
        MNIST(root=tmp_path, download=True).load()


def test_an_unknown_key_is_refused():
    with pytest.raises(FieldError, match="has no field"):
        MNIST(folder=Path())


def test_mnist_is_known_by_its_name():
    assert registry.get("mnist") is MNIST


def test_the_real_files_hold_70000_digits(mnist_root):
    data = MNIST(root=mnist_root).load()
    assert data.train.images.shape == (60_000, 1, 28, 28)
    assert data.test.images.shape == (10_000, 1, 28, 28)
    assert data.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.test.labels.bincount().tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
    ]
    assert (data.test.images.min(), data.test.images.max()) == (0, 255)


# Fashion-MNIST.


def test_fashion_mnist_is_read_from_a_folder_of_its_own_and_named_by_its_clothes(tiny_root):
    (tiny_root / "MNIST").rename(tiny_root / "FashionMNIST")
    data = FashionMNIST(root=tiny_root).load()
    assert torch.equal(data.train.images[:, 0], images(30, seed=30))
    assert data.test.labels.tolist() == labels(20).tolist()
    assert data.classes[:2] == ("T-shirt/top", "Trouser")


def test_without_its_files_fashion_mnist_says_where_they_belong(tiny_root):
    with pytest.raises(DataError) as raised:
        FashionMNIST(root=tiny_root).load()
    assert raised.value.message.startswith(f"no readable FashionMNIST in {str(tiny_root)!r}: ")
    assert raised.value.hint == HINT.replace("MNIST/raw", "FashionMNIST/raw")
