"""What every data set must be, whoever reads it."""

import struct

import pytest
import torch

from moat.data import Data, Split
from moat.data.base import as_labels
from moat.data.mnist import MNIST, FashionMNIST
from moat.errors import DataError


def split(*labels: int) -> Split:
    images = torch.zeros(len(labels), 1, 4, 4, dtype=torch.uint8)
    return Split(images, torch.tensor(labels, dtype=torch.long), torch.arange(len(labels)))


@pytest.mark.parametrize("name", ["train", "test"])
@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ((0, 1, 2), "2 (1 times)."),
        ((0, -1, -1), "-1 (2 times)."),
        ((0, *range(2, 9)), "2 (1 times), 3 (1 times), 4 (1 times), 5 (1 times), 6 (1 times) and"),
    ],
)
def test_a_label_beyond_the_classes_is_refused_by_name(name, labels, said):
    splits = {"train": split(0, 1), "test": split(0, 1), name: split(*labels)}
    with pytest.raises(DataError) as refused:
        Data(**splits, classes=("a", "b"))
    message = f"the {name} split has labels outside its 2 classes, which count from 0: "
    assert refused.value.message.startswith(message + said)


def test_a_split_without_an_example_is_refused():
    with pytest.raises(DataError, match="the test split has 0 images, 0 labels and 0 ids"):
        Data(split(0), split(), ("a",))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (torch.tensor([0.0, 1.0]), "torch.float32 of shape (2,)"),
        (torch.zeros(2, 1).long(), "(2, 1)"),
    ],
)
def test_labels_are_whole_numbers_one_an_image(labels, said):
    odd = split(0, 1)
    object.__setattr__(odd, "labels", labels)  # shapes are looked at under test alone
    with pytest.raises(DataError) as refused:
        Data(odd, split(0), ("a", "b"))
    assert said in refused.value.message


@pytest.mark.parametrize(("dataset", "folder"), [(MNIST, "MNIST"), (FashionMNIST, "FashionMNIST")])
def test_labels_of_an_idx_file_beyond_the_classes_name_the_folder(tmp_path, dataset, folder):
    raw = tmp_path / folder / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(
            struct.pack(">4i", 2051, 3, 28, 28) + bytes(3 * 28 * 28)
        )
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(
            struct.pack(">2i", 2049, 3) + b"\x00\x0a\xff"
        )
    with pytest.raises(DataError) as refused:
        dataset(root=tmp_path).load()
    assert refused.value.where == str(raw)
    assert "10 (1 times), 255 (1 times)" in refused.value.message


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_integers_of_any_type_are_labels(dtype):
    labels = as_labels(torch.arange(5).to(dtype))
    assert labels.dtype == torch.long
    assert labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bool, torch.complex64])
def test_what_is_no_integer_is_refused(dtype):
    with pytest.raises(DataError) as refused:
        as_labels(torch.arange(5).to(dtype))
    assert refused.value.message == f"labels are integers, not {dtype}."
    assert refused.value.hint == "If they count the classes from 0, keep labels.long()."
