"""Batches that cannot be joined: the error names the sizes or the form, and the mend."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

import moat
from moat.errors import DataError, MoatError

NET = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
GREY = torch.rand(1, 8, 8)
PICTURE = Image.new("L", (8, 8))


class Made(Dataset):
    """Four examples, each image made of its number."""

    def __init__(self, make):
        self.make = make

    def __len__(self):
        return 4

    def __getitem__(self, number):
        return self.make(number), number


def photograph(number):
    return torch.zeros(3, 20 + number, 30)


def array(number):
    return np.zeros((3, 20 + number, 30), dtype="float32")


def coloured(number):
    return torch.zeros(1 + 2 * (number % 2), 8, 8)


def picture(number):
    return PICTURE


def loader(make, batch_size=2, **more):
    return DataLoader(Made(make), batch_size=batch_size, **more)


SIZES, TO_TENSOR = "several sizes, (3, 20, 30) and (3, 21, 30).", "torchvision.transforms.ToTensor"


@pytest.mark.parametrize(
    ("data", "text", "mend"),
    [
        (Made(photograph), SIZES, "CenterCrop(224)"),
        (Made(array), SIZES, "CenterCrop(224)"),
        (loader(photograph), SIZES, "CenterCrop(224)"),
        (loader(photograph, num_workers=1), SIZES, "CenterCrop(224)"),
        (loader(photograph, 1), "(3, 20, 30), (3, 21, 30), (3, 22, 30) and others", "CenterCrop"),
        (Made(coloured), "sizes, (1, 8, 8) and (3, 8, 8)", 'image.convert("RGB")'),
        (loader(coloured, 1), "sizes, (1, 8, 8) and (3, 8, 8)", 'image.convert("RGB")'),
        (Made(picture), "batch 1 cannot be made: default_collate", TO_TENSOR),
        (loader(picture, num_workers=1), "batch 1 cannot be made: default_collate", TO_TENSOR),
        ([(PICTURE, 3)] * 3, "item 1 of the data is a picture with its label", TO_TENSOR),
        ([([PICTURE], [3])] * 3, "item 1 of the data is a picture with its label", TO_TENSOR),
        (([PICTURE, PICTURE], [3, 4]), "the images are pictures", "torch.stack("),
        (([GREY, GREY], [3, 4]), "images are a tensor (batch, channel", "torch.stack("),
        ([(GREY, 3)] * 3, "item 1 of the data is one example", "DataLoader(data, batch"),
        ([(GREY, torch.tensor(3))] * 2, "item 1 of the data is one example", "DataLoader(data"),
        ([(GREY.numpy(), np.int64(3))] * 3, "item 1 of the data is one example", "DataLoader("),
        ([([GREY, GREY], [3, 4])] * 2, "the images of the batches cannot be", "torch.stack"),
        ([(GREY[None], 3)] * 2, "the labels of the batches cannot be joined", "(batch,)"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_the_mend(data, text, mend):
    with pytest.raises(MoatError) as refused:
        moat.evaluate(NET, data, [])
    assert text in refused.value.message
    assert mend in refused.value.hint
    assert isinstance(refused.value, ValueError)


def test_examples_of_labels_of_several_sizes_are_refused():
    class Labels(Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, number):
            return GREY, torch.zeros(1 + number)

    with pytest.raises(DataError, match="its examples are of several sizes"):
        moat.evaluate(NET, Labels(), [])


def test_a_fault_of_the_data_set_itself_is_raised_as_it_is():
    def broken(number):
        raise RuntimeError("a fault of its own")

    with pytest.raises(RuntimeError, match="a fault of its own"):
        moat.evaluate(NET, Made(broken), [])


def test_a_loader_of_the_mended_list_is_read():
    found = moat.evaluate(NET, DataLoader([(GREY, 3)] * 3, batch_size=2), [])
    assert len(found.ids) == 3


@pytest.mark.parametrize("turned", [lambda x: x[:, :, ::-1], lambda x: x], ids=["turned", "as is"])
def test_bytes_of_an_array_are_read_whatever_its_strides_and_rights(turned):
    bytes_given = np.random.default_rng(0).integers(0, 256, (6, 1, 8, 8)).astype("uint8")
    view = turned(bytes_given)
    view.flags.writeable = False
    found = moat.evaluate(NET, (view, np.arange(6)), [])
    same = moat.evaluate(NET, (torch.tensor(view.copy()), torch.arange(6)), [])
    assert (found.outcomes.values == same.outcomes.values).all()
