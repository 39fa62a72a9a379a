import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.data import (
    Split,
    as_floats,
    batches_in_order,
    batches_per_epoch,
    shuffled_batches,
)

seeds = st.integers(0, 2**31)


def split_of(labels: list[int]) -> Split:
    """Images that hold their own id, so that an example is known again."""
    ids = torch.arange(len(labels))
    images = ids.to(torch.uint8)[:, None, None, None].expand(-1, 1, 2, 3).contiguous()
    return Split(images, torch.tensor(labels, dtype=torch.int64), ids)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ids_of(images: torch.Tensor) -> list[int]:
    return (255 * images[:, 0, 0, 0]).round().int().tolist()


# Splits.


def test_taking_examples_takes_all_that_belongs_to_them():
    taken = split_of([3, 4, 5]).take(torch.tensor([2, 0]))
    assert len(taken) == 2
    assert taken.ids.tolist() == [2, 0]
    assert taken.labels.tolist() == [5, 3]
    assert taken.images[:, 0, 0, 0].tolist() == [2, 0]


def test_a_split_moves_as_a_whole():
    moved = split_of([1, 2]).to(torch.device("meta"))
    assert {part.device.type for part in (moved.images, moved.labels, moved.ids)} == {"meta"}


def test_stored_images_become_floats_from_0_to_1_and_stay_as_they_were():
    stored = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    floats = as_floats(stored)
    assert floats.dtype == torch.float32
    assert floats.flatten().tolist() == pytest.approx([0, 0.2, 1])
    assert stored.flatten().tolist() == [0, 51, 255]


# Batches.

sizes = st.integers(1, 12)
counts = st.integers(1, 40)


@given(count=counts, size=sizes, seed=seeds)
def test_an_epoch_sees_every_example_once_but_a_lone_last_one(count, size, seed):
    batches = list(shuffled_batches(split_of(list(range(count))), size, seeded(seed)))
    seen = [i for images, _ in batches for i in ids_of(images)]
    assert len(set(seen)) == len(seen)
    lone = count % size == 1 and count > 1 and size > 1
    assert len(seen) == count - lone
    assert all(len(labels) == size for _, labels in batches[:-1])
    assert all(ids_of(images) == labels.tolist() for images, labels in batches)


@given(count=counts, size=sizes, seed=seeds)
def test_batches_are_counted_as_they_come(count, size, seed):
    batches = shuffled_batches(split_of([0] * count), size, seeded(seed))
    assert batches_per_epoch(count, size) == len(list(batches))


@given(count=counts, size=sizes, seed=seeds)
def test_any_batch_of_any_epoch_can_be_recreated(count, size, seed):
    split = split_of(list(range(count)))
    first, again = (
        [labels.tolist() for _, labels in shuffled_batches(split, size, seeded(seed))]
        for _ in range(2)
    )
    assert first == again


def test_another_epoch_has_another_order():
    split = split_of(list(range(40)))
    first, second = (next(shuffled_batches(split, 20, seeded(seed)))[1] for seed in (0, 1))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("size", [2, 8])
def test_no_batch_is_a_single_example_of_many(size):
    sizes = [len(y) for _, y in shuffled_batches(split_of([0] * 17), size, seeded(0))]
    assert min(sizes) > 1
    assert sum(sizes) == 16


@given(count=st.integers(0, 40), size=sizes)
def test_in_order_every_example_comes_once_and_in_order(count, size):
    batches = list(batches_in_order(split_of(list(range(count))), size))
    assert [i for images, _ in batches for i in ids_of(images)] == list(range(count))
    assert [i for _, labels in batches for i in labels.tolist()] == list(range(count))
    assert all(len(labels) == size for _, labels in batches[:-1])


def test_a_digest_identifies_images_and_labels_and_not_where_they_come_from():
    images = torch.arange(2 * 4, dtype=torch.uint8).view(2, 1, 2, 2)
    split = Split(images, torch.tensor([0, 1]), torch.tensor([0, 1]))
    elsewhere = Split(images.clone(), torch.tensor([0, 1]), torch.tensor([7, 8]))
    assert split.digest() == elsewhere.digest()
    assert split.digest() != Split(images, torch.tensor([1, 0]), torch.tensor([0, 1])).digest()
    assert split.digest() != Split(images + 1, torch.tensor([0, 1]), split.ids).digest()
