import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.passes import Segment, cut, default_pass_size

lengths = st.lists(st.integers(0, 40), max_size=5)
sizes = st.integers(1, 50)


@given(lengths=lengths, size=sizes)
def test_every_example_is_in_exactly_one_pass_and_in_order(lengths, size):
    seen = [
        (segment.which, row)
        for segments in cut(lengths, size)
        for segment in segments
        for row in range(segment.start, segment.stop)
    ]
    assert seen == [(which, row) for which, length in enumerate(lengths) for row in range(length)]


@given(lengths=lengths, size=sizes)
def test_every_pass_but_the_last_is_full(lengths, size):
    filled = [sum(s.stop - s.start for s in segments) for segments in cut(lengths, size)]
    assert all(count == size for count in filled[:-1])
    assert all(0 < count <= size for count in filled[-1:])
    assert len(filled) == -(-sum(lengths) // size)


@given(lengths=lengths, size=sizes)
def test_no_segment_is_empty(lengths, size):
    assert all(s.start < s.stop for segments in cut(lengths, size) for s in segments)


def test_a_segment_is_an_index_into_its_list():
    assert list(range(10))[Segment(0, 3, 5).rows] == [3, 4]


@pytest.mark.parametrize("size", [0, -1])
def test_a_pass_without_room_is_refused(size):
    with pytest.raises(ValueError, match=f"a pass holds at least one example, not {size}"):
        cut([3], size)


def test_a_pass_is_small_on_a_cpu_and_as_large_as_may_be_elsewhere():
    assert default_pass_size(torch.device("cpu")) == 128
    assert default_pass_size(torch.device("cuda")) >= 1 << 30
