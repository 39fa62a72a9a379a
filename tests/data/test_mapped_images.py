import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.data import Split
from moat.data.mapped_images import ImageRows, centred, gibibytes, taken

STORED = torch.randint(0, 256, (10, 3, 6, 8), dtype=torch.uint8)
positions = st.lists(st.integers(0, 9), min_size=1, max_size=12).map(torch.tensor)


@given(rows=positions, data=st.data())
def test_rows_of_an_array_are_what_the_tensor_of_those_rows_is(rows, data):
    lazy, plain = ImageRows(STORED, rows), STORED[rows]
    index = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1).map(torch.tensor))
    assert lazy.shape == plain.shape
    assert len(lazy) == len(plain)
    assert torch.equal(lazy[index], plain[index])
    assert torch.equal(lazy[1:3], plain[1:3])
    again = taken(lazy, index)
    assert isinstance(again, ImageRows)
    assert torch.equal(again[:], taken(plain, index))
    assert gibibytes(lazy) == gibibytes(plain) == plain.numel() / 2**30


@given(height=st.integers(1, 6), width=st.integers(1, 8))
def test_the_centre_is_the_same_of_rows_and_of_a_tensor(height, width):
    rows = torch.tensor([3, 1])
    lazy, plain = centred(ImageRows(STORED, rows), (height, width)), STORED[rows]
    found = centred(plain, (height, width))
    assert tuple(found.shape) == (2, 3, height, width)
    assert torch.equal(lazy[:], found)
    top, left = (6 - height) // 2, (8 - width) // 2
    assert torch.equal(found, plain[:, :, top : top + height, left : left + width])


def test_the_centre_of_images_of_that_size_is_themselves():
    assert centred(STORED, (6, 8)) is STORED


def test_neither_taking_nor_the_centre_copies_what_is_stored():
    rows = ImageRows(STORED, torch.arange(10))
    part = centred(rows.take(torch.tensor([2])), (2, 2))
    assert isinstance(part, ImageRows)
    assert part.stored.untyped_storage().data_ptr() == STORED.untyped_storage().data_ptr()


def test_rows_stay_unread_where_they_are_and_become_one_tensor_elsewhere():
    rows = ImageRows(STORED, torch.tensor([4]))
    assert rows.to(torch.device("cpu")) is rows
    assert rows.device.type == "cpu"
    assert isinstance(rows.to(torch.device("meta")), torch.Tensor)


@pytest.mark.parametrize(("memory", "where"), [(1.0, "meta"), (1e-9, "cpu")])
def test_a_split_lies_on_the_device_where_it_fits_and_stays_where_it_does_not(memory, where):
    split = Split(STORED, torch.zeros(10, dtype=torch.int64), torch.arange(10))
    near = split.near(torch.device("meta"), memory)
    assert {part.device.type for part in (near.images, near.labels, near.ids)} == {where}


def test_a_split_of_rows_has_the_digest_of_a_split_of_their_tensor():
    labels = torch.arange(10)
    rows = torch.arange(10).flip(0)
    lazy = Split(ImageRows(STORED, rows), labels, labels)
    assert lazy.digest() == Split(STORED[rows], labels, labels).digest()
    assert lazy.digest() != Split(STORED, labels, labels).digest()
