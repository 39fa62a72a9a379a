import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.data import Split, TrainingShare, hold_out, sample
from moat.errors import DataError

seeds = st.integers(0, 2**31)


def split_of(labels: list[int]) -> Split:
    ids = torch.arange(len(labels))
    images = ids.to(torch.uint8)[:, None, None, None].expand(-1, 1, 2, 3).contiguous()
    return Split(images, torch.tensor(labels, dtype=torch.int64), ids)


# A sample.


@given(
    labels=st.lists(st.sampled_from([0, 1, 7]), min_size=1, max_size=60), seed=seeds, data=st.data()
)
def test_a_sample_has_its_size_and_every_class_its_share_to_within_one(labels, seed, data):
    count = data.draw(st.integers(1, len(labels)))
    taken = sample(split_of(labels), count, seed)
    assert len(taken) == count == len(set(taken.ids.tolist()))
    assert taken.ids.tolist() == sorted(taken.ids.tolist())
    assert [labels[i] for i in taken.ids] == taken.labels.tolist()
    for label in set(labels):
        share = count * labels.count(label) / len(labels)
        assert abs(taken.labels.tolist().count(label) - share) <= len(set(labels)) - 1


def test_of_equally_large_classes_a_sample_takes_equally_many():
    taken = sample(split_of([0, 1, 2] * 20), 12, 5)
    assert taken.labels.bincount().tolist() == [4, 4, 4]


@given(seed=seeds, small=st.integers(1, 20), large=st.integers(20, 40))
def test_a_smaller_sample_is_part_of_a_larger_one_of_the_same_seed(seed, small, large):
    split = split_of([0, 1, 1, 2] * 10)
    few, many = (set(sample(split, count, seed).ids.tolist()) for count in (small, large))
    assert few <= many


def test_another_seed_takes_others_and_the_global_random_state_stays():
    split, before = split_of([0, 1] * 50), torch.get_rng_state()
    found = {tuple(sample(split, 10, seed).ids.tolist()) for seed in range(3)}
    assert len(found) == 3
    assert torch.equal(torch.get_rng_state(), before)


def test_a_sample_larger_than_the_split_is_refused():
    with pytest.raises(DataError) as raised:
        sample(split_of([0, 1]), 3, 0)
    assert raised.value.message == "3 training examples are requested, but there are only 2."
    assert raised.value.hint == "Lower data.train_examples, or leave it out to use all."


# Both together.


def test_validation_is_held_out_of_the_sample():
    split = split_of([0, 1] * 50)
    rest, held = TrainingShare(20, 0.1, 3).of(split)
    assert held is not None
    assert (len(rest), len(held)) == (18, 2)
    assert sorted([*rest.ids.tolist(), *held.ids.tolist()]) == sample(split, 20, 3).ids.tolist()


def test_without_a_wish_the_whole_split_is_trained_on():
    split = split_of([0, 1])
    assert TrainingShare().of(split) == (split, None)


# Holding out.

many_labels = st.lists(st.sampled_from([0, 1, 7]), min_size=1, max_size=30).map(
    lambda labels: [*labels, *labels]  # no class of a single example
)


@given(labels=many_labels, share=st.floats(0.01, 0.5), seed=seeds)
def test_every_example_is_held_out_or_left_and_none_is_both(labels, share, seed):
    rest, held = hold_out(split_of(labels), share, seed)
    assert held is not None
    assert sorted([*rest.ids.tolist(), *held.ids.tolist()]) == list(range(len(labels)))
    assert all(labels[i] == label for i, label in zip(held.ids, held.labels, strict=True))


@given(labels=many_labels, share=st.floats(0.01, 0.5), seed=seeds)
def test_a_share_of_every_class_is_held_out_and_at_least_one(labels, share, seed):
    _, held = hold_out(split_of(labels), share, seed)
    assert held is not None
    for label in set(labels):
        expected = max(1, round(share * labels.count(label)))
        assert (held.labels == label).sum() == expected


@given(labels=many_labels, seed=seeds)
def test_the_seed_decides_what_is_held_out(labels, seed):
    first, again = (hold_out(split_of(labels), 0.5, seed)[1] for _ in range(2))
    assert first is not None
    assert again is not None
    assert torch.equal(first.ids, again.ids)


def test_another_seed_holds_out_others():
    held = [hold_out(split_of([0] * 50), 0.5, seed)[1] for seed in range(3)]
    assert len({tuple(split.ids.tolist()) for split in held if split is not None}) == 3


def test_holding_out_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    hold_out(split_of([0, 0, 1, 1]), 0.5, 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_of_a_share_of_nothing_nothing_is_held_out():
    split = split_of([0, 1])
    assert hold_out(split, 0, 0) == (split, None)


@pytest.mark.parametrize(("labels", "share"), [([0, 0, 3], 0.1), ([0, 0, 0, 3, 3], 0.8)])
def test_a_class_that_would_be_left_without_an_example_is_refused(labels, share):
    with pytest.raises(DataError) as raised:
        hold_out(split_of(labels), share, 0)
    few = labels.count(3)
    assert raised.value.message == (
        f"class 3 has {few} training example(s), too few to hold out {share:.0%} for validation."
    )
    assert raised.value.hint == "Lower data.validation, or set it to 0."
